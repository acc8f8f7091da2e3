"""One look-up within a total time, each fault in its own words."""

from __future__ import annotations

import time

import dns.exception
import dns.name
import dns.resolver
from dns.rdata import Rdata

from healthkit_dns import Records


class LookupFault(Exception):
    """There are no records; the text says why, without an address."""


def look_up(name: str, record: str, place: tuple[str, int] | None, seconds: float) -> Records:
    """Returns the records of a name at a resolver (the system's where it is None). Raises
    LookupFault."""
    began = time.monotonic()
    try:
        resolver = _resolver_at(place)
        answer = resolver.resolve(dns.name.from_text(name), record, lifetime=seconds, search=False)
    except dns.resolver.NXDOMAIN:
        raise LookupFault("the name does not exist") from None
    except dns.resolver.NoAnswer:
        raise LookupFault(f"the name has no {record} record") from None
    except dns.exception.Timeout:
        raise LookupFault(f"no answer within {seconds:.3g} s") from None
    except dns.resolver.NoNameservers:
        raise LookupFault("the resolver fails or refuses to answer") from None
    except (dns.exception.DNSException, OSError) as error:
        raise LookupFault(f"the look-up failed: {type(error).__name__}") from None
    texts = tuple(_text(one) for one in answer)
    ttl = answer.rrset.ttl if answer.rrset is not None else 0
    return Records(texts, int(ttl), time.monotonic() - began)


def _resolver_at(place: tuple[str, int] | None) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=place is None)
    if place is not None:
        resolver.nameservers, resolver.port = [place[0]], place[1]
    return resolver


def _text(record: Rdata) -> str:
    """Returns a record as text; the parts of a TXT record as one."""
    parts = getattr(record, "strings", None)
    if parts is None:
        return str(record.to_text())
    return b"".join(parts).decode("utf-8", "replace")
