"""The check type `dns`: a name has the records that it ought to have, by this resolver or that."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.fields import PositiveDuration

Record = Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"]
PORT = 53
MOST_SHOWN = 10
"""Answers that stand in the message."""
_SHARE = 0.9
"""Of the check's timeout: there is time left to say what did not answer."""
_RESOLVER = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Fa-f:.]{2,45}?))(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a name: as text, the seconds that they may be kept, and those that it
    took to get them."""

    answers: tuple[str, ...]
    ttl: int
    seconds: float


def parse_resolver(value: str) -> tuple[str, int]:
    """Returns the address and port of `1.1.1.1`, `1.1.1.1:5353`, `::1` or `[::1]:53`. Raises
    ValueError."""
    try:
        return str(ip_address(value)), PORT
    except ValueError:
        match = _RESOLVER.fullmatch(value)
    try:
        if match is None or not 0 < int(match[3] or PORT) < 65_536:
            raise ValueError
        return str(ip_address(match[1] or match[2])), int(match[3] or PORT)
    except ValueError:
        hint = "write it like 1.1.1.1, 127.0.0.1:5353 or [::1]:53"
        raise ValueError(f"not the address of a resolver; {hint}") from None


def _resolver(value: str) -> str:
    parse_resolver(value)
    return value


def _name(value: str) -> str:
    import dns.exception
    import dns.name

    try:
        dns.name.from_text(value)
    except (dns.exception.DNSException, UnicodeError, ValueError):
        raise ValueError("not a name; write it like your-domain.com") from None
    return value


def _texts(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Dns(Check):
    """Asks for the records of one kind of `name`, at `resolver` (an address, with a port) or at the
    system's. Each text of `expect` has to be among the answers; the final dot and capitals do not
    count. `slow_after`: a longer look-up is degraded."""

    name: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_name)]
    """The name that is looked up."""
    record: Record = "A"
    """The kind of record."""
    resolver: Annotated[str, AfterValidator(_resolver)] | None = None
    """The server that is asked, an address with or without a port; the system's when left out."""
    expect: Annotated[tuple[str, ...], BeforeValidator(_texts)] = ()
    """Texts that have to be among the answers, each."""
    slow_after: PositiveDuration | None = None
    """The time from which an answer is degraded."""

    def run(self, context: CheckContext) -> Outcome:
        # Only a configured check pays for its import.
        from healthkit_dns.lookup import LookupFault, look_up

        try:
            place = parse_resolver(self.resolver) if self.resolver else None
            found = look_up(self.name, self.record, place, context.timeout * _SHARE)
        except LookupFault as error:
            return Outcome.unhealthy(str(error))
        return evaluate(found, self)

    def target(self) -> str:
        return self.name


def evaluate(found: Records, wanted: Dns) -> Outcome:
    """Returns the outcome of a look-up."""
    details = {
        "count": len(found.answers),
        "ttl_seconds": found.ttl,
        "seconds": round(found.seconds, 4),
    }
    shown = f"{wanted.record} {', '.join(sorted(found.answers)[:MOST_SHOWN])}"
    missing = _missing(found.answers, wanted.expect)
    if missing is not None:
        return Outcome.unhealthy(f"{shown}: without {missing}", **details)
    limit = wanted.slow_after.total_seconds() if wanted.slow_after else None
    if limit is not None and found.seconds > limit:
        return Outcome.degraded(
            f"slow: {found.seconds:.2f} s, at most {limit:g} s are expected", **details
        )
    return Outcome.healthy(shown, **details)


def _missing(answers: Sequence[str], expected: Sequence[str]) -> str | None:
    there = {_plain(answer) for answer in answers}
    return next((text for text in expected if _plain(text) not in there), None)


def _plain(text: str) -> str:
    return text.lower().rstrip(".")


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"dns": Dns}
