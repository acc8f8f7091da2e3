"""Shakes hands as a client does, and where that is refused once more without verifying."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from healthkit.connections import connect, time_left
from healthkit_ssl_expiry.evaluation import Certificate, Refusal, SeenChain
from healthkit_ssl_expiry.starttls import StartTlsError, upgrade

_NO_ROUTE = {
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "no route to the network",
}
_UNREADABLE = (
    ValueError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the parser raises of certificates that OpenSSL takes."""
_LONGEST_CHAIN = 20
"""Certificates of a chain that are looked at: whoever serves more is no server of ours."""


class UnreadableCertificateError(OSError):
    """A certificate that clients read cannot be read here."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address to probe: `name` is sent as SNI and must be in the certificate. Both in ASCII."""

    host: str
    port: int
    name: str
    starttls: str | None = None
    ca_file: Path | None = None


def probe(endpoint: Endpoint, timeout: float) -> SeenChain:
    """Shakes hands within `timeout` seconds in all, and returns the path that was verified.

    Raises OSError (ssl.SSLError, TimeoutError … and StartTlsError are such) where there is no
    handshake to judge; `describe_error` explains it.
    """
    deadline = time.monotonic() + timeout
    strict = _context(endpoint)
    try:
        verified = _shake_hands(endpoint, strict, deadline, "get_verified_chain")
        return SeenChain(tuple(map(_certificate, verified)))
    except ssl.SSLCertVerificationError as error:
        refusal = Refusal(error.verify_code, error.verify_message)
    lenient = _context(endpoint)
    lenient.check_hostname = False
    lenient.verify_mode = ssl.CERT_NONE
    try:
        served = _shake_hands(endpoint, lenient, deadline, "get_unverified_chain")
    except OSError:
        return SeenChain((), refusal)
    path = likely_path(served, _issuers(strict.get_ca_certs(binary_form=True), served))
    return SeenChain(tuple(map(_certificate, path)), refusal)


def _context(endpoint: Endpoint) -> ssl.SSLContext:
    """A client's context. A name stands in subjectAltName or nowhere, a wildcard is a whole label
    (RFC 9525, 6.3): the common name is not looked at, and partial wildcards are off in Python."""
    context = ssl.create_default_context(cafile=endpoint.ca_file)
    context.hostname_checks_common_name = False
    return context


def _shake_hands(
    endpoint: Endpoint, context: ssl.SSLContext, deadline: float, chain: str
) -> list[x509.Certificate]:
    """Returns the chain that the method `chain` of the connection has."""
    with connect(endpoint.host, endpoint.port, deadline) as plain:
        if endpoint.starttls is not None:
            upgrade(plain, endpoint.starttls, lambda: time_left(deadline))
        plain.settimeout(time_left(deadline))
        with context.wrap_socket(plain, server_hostname=endpoint.name) as secure:
            ders = _chain(secure, chain)
    try:
        return [x509.load_der_x509_certificate(der) for der in ders[:_LONGEST_CHAIN]]
    except _UNREADABLE:
        raise UnreadableCertificateError from None


def _chain(secure: ssl.SSLSocket, chain: str) -> list[bytes]:
    """A chain in DER. Python has a public way to it from 3.13 on; in 3.11 and 3.12 the object
    underneath has it; where neither is there, the leaf must do."""
    public: Any = getattr(secure, chain, None)
    if public is not None:
        return list(public())
    inner: Any = getattr(getattr(secure, "_sslobj", None), chain, None)
    if inner is not None:
        return [ssl.PEM_cert_to_DER_cert(link.public_bytes()) for link in inner()]
    leaf = secure.getpeercert(binary_form=True)
    return [leaf] if leaf else []


def likely_path(
    served: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    """Returns the path from the leaf to an anchor, or as far as it goes: at each step a trusted
    issuer before a served one, as OpenSSL does, and of several the one that lasts longest."""
    path = list(served[:1])
    while path and len(path) < _LONGEST_CHAIN:
        anchor = _issuer_of(path[-1], trusted)
        issuer = anchor or _issuer_of(path[-1], served)
        if issuer is None or issuer in path:
            break
        path.append(issuer)
        if anchor is not None:
            break
    return path


def _issuer_of(
    certificate: x509.Certificate, candidates: Iterable[x509.Certificate]
) -> x509.Certificate | None:
    signers = [c for c in candidates if c.subject == certificate.issuer and _signed(certificate, c)]
    return max(signers, key=lambda signer: signer.not_valid_after_utc, default=None)


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _issuers(ders: Iterable[bytes], served: Iterable[x509.Certificate]) -> list[x509.Certificate]:
    """Returns those of a store's certificates that may have issued a served one. Others are not
    parsed: there are hundreds, and of some not every parser thinks well."""
    names = [certificate.issuer.public_bytes() for certificate in served]
    certificates = []
    for der in ders:
        if any(name in der for name in names):
            with suppress(*_UNREADABLE):
                certificates.append(x509.load_der_x509_certificate(der))
    return certificates


def _certificate(parsed: x509.Certificate) -> Certificate:
    names = _names(parsed)
    return Certificate(
        subject=parsed.subject.rfc4514_string(),
        issuer=parsed.issuer.rfc4514_string(),
        common_name=_common_name(parsed.subject) or ", ".join(names[:1]) or "without a name",
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        names=names,
    )


def _common_name(name: x509.Name) -> str | None:
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME):
        if found := name.get_attributes_for_oid(oid):
            return str(found[0].value)
    return None


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return ()
    hosts = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return (*hosts, *(str(address) for address in addresses))


def describe_error(error: OSError, timeout: float) -> str:
    """Returns why there was no chain, briefly."""
    for kind, described in (
        (StartTlsError, str(error)),
        (UnreadableCertificateError, "a certificate of the chain cannot be read"),
        (socket.gaierror, "host name not known"),
        (ConnectionRefusedError, "connection refused"),
        (TimeoutError, f"no answer within {timeout:g}s"),
        (ConnectionError, "the server closed the connection"),
    ):
        if isinstance(error, kind):
            return described
    if isinstance(error, ssl.SSLError):
        if error.reason in ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG"):
            return "no TLS is spoken there"
        reason = (error.reason or "connection closed").lower().replace("_", " ")
        return f"the TLS handshake failed: {reason}"
    return _NO_ROUTE.get(error.errno or 0, f"failed: {type(error).__name__}")
