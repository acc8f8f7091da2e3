"""Evaluates a certificate chain: a pure function of the chain, the time and the limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from healthkit import Outcome


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of a chain. Times are UTC; `names` are those that it is valid for."""

    subject: str
    issuer: str
    common_name: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a client refuses the chain: OpenSSL's X509_V_ERR code and text
    (openssl-verification-options(1), "DIAGNOSTICS")."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class SeenChain:
    """The path that a client verified, the leaf first and the trusted anchor last; of one that it
    refuses the path that it most likely tried, with the reason."""

    chain: tuple[Certificate, ...]
    refusal: Refusal | None = None


NOT_YET_VALID, EXPIRED, SELF_SIGNED = 9, 10, 18
UNTRUSTED = {19, 20, 21, 2, 27}
OTHER_NAME = {62, 64}


def evaluate(
    seen: SeenChain, name: str, now: datetime, warn: timedelta, fail: timedelta
) -> Outcome:
    """Unhealthy when a client refuses the chain or it ends within `fail`, degraded within `warn`.

    What counts is the certificate of the verified path that ends first, its anchor included.
    """
    if not seen.chain:
        return Outcome.unhealthy(_refused(seen, name, now))
    first = min(seen.chain, key=lambda certificate: certificate.not_after)
    left = first.not_after - now
    details: dict[str, Any] = {
        "days_left": left // timedelta(days=1),
        "expires_at": first.not_after,
        "subject": first.subject,
        "issuer": first.issuer,
    }
    if seen.refusal is not None:
        return Outcome.unhealthy(_refused(seen, name, now), **details)
    message = _expiry(first, seen.chain, now)
    if left < fail:
        return Outcome.unhealthy(message, **details)
    if left < warn:
        return Outcome.degraded(message, **details)
    return Outcome.healthy(message, **details)


def _refused(seen: SeenChain, name: str, now: datetime) -> str:
    code, text = (seen.refusal.code, seen.refusal.text) if seen.refusal else (0, "no certificate")
    expired = [c for c in seen.chain if c.not_after <= now]
    early = [c for c in seen.chain if c.not_before > now]
    if code == EXPIRED and expired:
        return _expiry(min(expired, key=lambda c: c.not_after), seen.chain, now)
    if code == NOT_YET_VALID and early:
        return f"{_what(early[0], seen.chain)} is not valid before {early[0].not_before:%Y-%m-%d}"
    if code == SELF_SIGNED:
        return "the certificate is self-signed"
    if code in UNTRUSTED:
        return "the chain does not end at a trusted CA, or lacks an intermediate"
    if code in OTHER_NAME:
        names = ", ".join(seen.chain[0].names[:3]) if seen.chain else ""
        if seen.chain and not names:
            return f"the certificate names no host (subjectAltName), so it is not for {name}"
        return f"the certificate is for {names or 'another host'}, not for {name}"
    return f"the certificate is refused: {text.rstrip('.')}"


def _expiry(certificate: Certificate, chain: Sequence[Certificate], now: datetime) -> str:
    left = certificate.not_after - now
    days = abs(left).days
    span = "within a day" if days == 0 else f"{days} day{'s' if days > 1 else ''}"
    if left < timedelta(0):
        verb = f"expired {'less than a day' if days == 0 else span} ago"
    else:
        verb = f"expires {span if days == 0 else f'in {span}'}"
    return f"{_what(certificate, chain)} {verb} ({certificate.not_after:%Y-%m-%d})"


def _what(certificate: Certificate, chain: Sequence[Certificate]) -> str:
    if certificate is chain[0]:
        return "the certificate"
    kind = "the CA" if certificate.subject == certificate.issuer else "the intermediate"
    return f"{kind} {certificate.common_name}"
