"""Shakes hands as a client does, and where that is refused once more without verifying."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from healthkit_ssl_expiry.evaluation import Certificate, Refusal, ServedChain
from healthkit_ssl_expiry.starttls import StartTlsError, upgrade


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address to probe: `name` is sent as SNI and must be in the certificate."""

    host: str
    port: int
    name: str
    starttls: str | None = None
    ca_file: Path | None = None


def probe(endpoint: Endpoint, timeout: float) -> ServedChain:
    """The chain that is served, within `timeout` seconds in all.

    Raises OSError (ssl.SSLError, TimeoutError … and StartTlsError are such) where no chain is
    served; `describe_error` explains it.
    """
    deadline = time.monotonic() + timeout
    try:
        return ServedChain(_chain(endpoint, _context(endpoint), deadline))
    except ssl.SSLCertVerificationError as error:
        refusal = Refusal(error.verify_code, error.verify_message)
    lenient = _context(endpoint)
    lenient.check_hostname = False
    lenient.verify_mode = ssl.CERT_NONE
    try:
        return ServedChain(_chain(endpoint, lenient, deadline), refusal)
    except OSError:
        return ServedChain((), refusal)


def _context(endpoint: Endpoint) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=endpoint.ca_file)


def _chain(endpoint: Endpoint, context: ssl.SSLContext, deadline: float) -> tuple[Certificate, ...]:
    address = (endpoint.host, endpoint.port)
    with socket.create_connection(address, timeout=_left(deadline)) as plain:
        if endpoint.starttls is not None:
            upgrade(plain, endpoint.starttls, lambda: _left(deadline))
        plain.settimeout(_left(deadline))
        with context.wrap_socket(plain, server_hostname=endpoint.name) as secure:
            return tuple(_certificate(der) for der in _served(secure))


def _served(secure: ssl.SSLSocket) -> list[bytes]:
    """The chain as served, in DER. Python has a public way to it from 3.13 on; in 3.11 and 3.12
    the object underneath has it; where neither is there, the leaf must do."""
    public: Any = getattr(secure, "get_unverified_chain", None)
    if public is not None:
        return list(public())
    inner: Any = getattr(getattr(secure, "_sslobj", None), "get_unverified_chain", None)
    if inner is not None:
        return [ssl.PEM_cert_to_DER_cert(link.public_bytes()) for link in inner()]
    leaf = secure.getpeercert(binary_form=True)
    return [leaf] if leaf else []


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _certificate(der: bytes) -> Certificate:
    parsed = x509.load_der_x509_certificate(der)
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
    except (x509.ExtensionNotFound, ValueError):
        return ()
    hosts = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return (*hosts, *(str(address) for address in addresses))


def describe_error(error: OSError, timeout: float) -> str:
    """Returns why there was no chain, briefly."""
    for kind, described in (
        (StartTlsError, str(error)),
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
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "host unreachable"
    return f"failed: {type(error).__name__}"
