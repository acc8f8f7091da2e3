"""Decides who may see the details of health: hosts, paths, versions, texts of errors, and metrics.

mount(app, health, sees_details=local_or_token(os.environ["HEALTH_TOKEN"]))
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

SeesDetails = Callable[[Mapping[str, Any]], bool]

_FORWARDED = frozenset(
    f"HTTP_{name}"
    for name in (
        *("FORWARDED", "VIA", "X_REAL_IP", "X_CLIENT_IP", "X_CLUSTER_CLIENT_IP"),
        *("CF_CONNECTING_IP", "CF_RAY", "TRUE_CLIENT_IP", "FASTLY_CLIENT_IP", "CDN_LOOP"),
    )
)
_FORWARDED_PREFIX = "HTTP_X_FORWARDED"


def local_or_token(token: str | None = None) -> SeesDetails:
    """Returns a rule for requests (as a WSGI environ): they come from this machine itself, or with
    `Authorization: Bearer TOKEN`.

    A request with any header of a proxy comes from elsewhere, whatever address it shows. waitress
    takes those headers away unless it is told `clear_untrusted_proxy_headers=False`.
    """
    expected = token.encode() if token else None

    def sees_details(environ: Mapping[str, Any]) -> bool:
        given = environ.get("HTTP_AUTHORIZATION")
        if given and expected is not None:
            scheme, _, value = str(given).partition(" ")
            known = hmac.compare_digest(value.strip().encode("utf-8", "replace"), expected)
            if known and scheme.lower() == "bearer":
                return True
        return is_local(environ)

    return sees_details


def is_local(environ: Mapping[str, Any]) -> bool:
    """Returns whether the peer itself is on this machine, with no proxy between."""
    try:
        peer = ip_address(str(environ.get("REMOTE_ADDR", "")))
    except ValueError:
        return False
    if isinstance(peer, IPv6Address) and peer.ipv4_mapped is not None:
        peer = peer.ipv4_mapped
    return peer.is_loopback and not any(map(_tells_of_a_proxy, environ))


def _tells_of_a_proxy(key: str) -> bool:
    return key in _FORWARDED or key.startswith(_FORWARDED_PREFIX)
