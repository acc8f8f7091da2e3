"""The check type `ping`: a host answers to ICMP echo, by a socket that needs no privilege."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.fields import PositiveDuration

_SHARE = 0.9
"""Of the check's timeout: there is time left to say what did not answer."""
_ECHO = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}
"""The types of request and reply (RFC 792, RFC 4443)."""
_PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
FORBIDDEN = (
    "this process may not send ICMP: have its group in net.ipv4.ping_group_range (sysctl),"
    " or use tcp"
)


def _host(value: str) -> str:
    if not value.isprintable() or any(sign in value for sign in " /@") or value.startswith("-"):
        raise ValueError("no host; write a name or an address, like 192.0.2.1")
    return value


class Ping(Check):
    """Sends `count` echo requests one after the other, within the check's timeout. None answered is
    unhealthy; fewer than all, or slower than `slow_after`, is degraded."""

    host: Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_host)]
    """A name or an address, of IPv4 or IPv6."""
    count: Annotated[int, Field(ge=1, le=20)] = 3
    """How many requests are sent."""
    slow_after: PositiveDuration | None = None
    """The median round trip from which it is degraded."""

    def run(self, context: CheckContext) -> Outcome:
        try:
            times = self._ask(time.monotonic() + context.timeout * _SHARE)
        except PermissionError:
            return Outcome.unhealthy(FORBIDDEN)
        except (OSError, UnicodeError) as error:
            return Outcome.unhealthy(fault_of(error))
        slow_after = None if self.slow_after is None else self.slow_after.total_seconds()
        return evaluate(times, self.count, slow_after)

    def target(self) -> str:
        return self.host

    def _ask(self, deadline: float) -> list[float]:
        """Returns the round trips that were answered, in seconds. Raises OSError."""
        found = socket.getaddrinfo(self.host, None, type=socket.SOCK_DGRAM)
        family, place = found[0][0], found[0][4]
        times = []
        with closing(_open(family)) as opened:
            for number in range(self.count):
                left = (deadline - time.monotonic()) / (self.count - number)
                if left <= 0:
                    break
                took = echo(opened, family, place, number, time.monotonic() + left)
                times += [] if took is None else [took]
        return times


def _open(family: int) -> socket.socket:
    """Returns the kernel's own socket for echoes. Raises PermissionError where there is none."""
    try:
        return socket.socket(family, socket.SOCK_DGRAM, _PROTOCOL[socket.AddressFamily(family)])
    except PermissionError:
        raise
    except OSError as error:
        raise PermissionError from error  # the kernel has no such socket


def echo(
    opened: socket.socket, family: int, place: Any, number: int, deadline: float
) -> float | None:
    """Returns the round trip of one request in seconds; None without its reply by `deadline`.
    Raises OSError where the network has no way."""
    kind, reply = _ECHO[socket.AddressFamily(family)]
    token = os.urandom(16)
    began = time.monotonic()
    # The kernel sets the identifier and the checksum of such a socket.
    opened.sendto(struct.pack("!BBHHH", kind, 0, 0, 0, number) + token, place)
    while (left := deadline - time.monotonic()) > 0:
        opened.settimeout(left)
        try:
            answer = opened.recv(1024)
        except TimeoutError:
            break
        if answer[:1] == bytes([reply]) and answer[8:] == token:
            return time.monotonic() - began
    return None


def evaluate(times: list[float], count: int, slow_after: float | None) -> Outcome:
    """Returns the outcome of the round trips (in seconds) that were answered, of `count` sent."""
    lost = count - len(times)
    details: dict[str, Any] = {"loss_percent": round(100 * lost / count, 1)}
    if not times:
        return Outcome.unhealthy("no answer: it is down, or drops ICMP", **details)
    median = sorted(times)[(len(times) - 1) // 2]
    details["round_trip_seconds"] = round(median, 6)
    if lost:
        return Outcome.degraded(f"{lost} of {count} were not answered", **details)
    if slow_after is not None and median > slow_after:
        what = f"slow: {median:.3f} s, at most {slow_after:g} s are expected"
        return Outcome.degraded(what, **details)
    return Outcome.healthy(**details)


def fault_of(error: Exception) -> str:
    """Returns why nothing could be sent."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return "the name of the host is not known"
    reason = getattr(error, "strerror", None) or type(error).__name__
    return f"nothing can be sent: {reason}"


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"ping": Ping}
