"""Whose word on the client is taken: that of the proxies that are named."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from posapp.observability.request_log import Application, Environ

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Network = IPv4Network | IPv6Network


class NamedProxies:
    """Takes X-Forwarded-* through `hops` proxies from who connects from one of `networks`, or from
    everybody where there is none; who connects from elsewhere speaks for nobody but himself."""

    def __init__(self, wsgi: Application, hops: int, networks: tuple[Network, ...]) -> None:
        self._own = wsgi
        self._proxied = ProxyFix(wsgi, x_for=hops, x_proto=hops, x_host=hops)
        self._networks = networks

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        known = not self._networks or is_in(environ.get("REMOTE_ADDR", ""), self._networks)
        return (self._proxied if known else self._own)(environ, start_response)


@lru_cache(maxsize=1024)
def is_in(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address, IPv4 in IPv6 too, is in one of the networks; no address is in none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in networks)
