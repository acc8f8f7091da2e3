"""The check type `tcp`: a port takes connections, and its service answers as expected."""

from __future__ import annotations

import errno
import re
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, Field

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.connections import connect, time_left
from healthkit.fields import PositiveDuration

MOST_READ = 65_536
"""Bytes of an answer that are looked through."""
_SHARE = 0.9
"""Of the check's timeout: there is time left to say what did not answer."""
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s:/@\[\]]{1,253})):([0-9]{1,5})")


def _address(value: str) -> str:
    match = _ADDRESS.fullmatch(value)
    if not match or not 0 < int(match[3]) < 65_536 or not _is_host(match[1], match[2]):
        raise ValueError("not a host and a port; write it like db.example.com:5432 or [::1]:25")
    return value


def _is_host(address: str | None, name: str | None) -> bool:
    try:
        if address is not None:
            return ip_address(address).version == 6
        assert name is not None
        name.encode("idna")  # which an empty label is too short for, and one of 64 letters too long
    except ValueError:
        return False
    return name.isprintable()


class Tcp(Check):
    """Connects to `address` within the check's timeout. With `send` that is sent; with `expect` the
    answer has to contain it, within its first 65,536 bytes. `slow_after`: a longer one is degraded.
    """

    address: Annotated[str, AfterValidator(_address)]
    """Host and port: `db.example:5432`, `[::1]:25`."""
    send: Annotated[str, Field(max_length=10_000)] | None = None
    """A text that is sent when it is connected."""
    expect: Annotated[str, Field(min_length=1, max_length=10_000)] | None = None
    """A text that the answer must hold, within its first 65,536 bytes."""
    slow_after: PositiveDuration | None = None
    """The time from which an answer is degraded."""

    def run(self, context: CheckContext) -> Outcome:
        began = time.monotonic()
        deadline = began + context.timeout * _SHARE
        try:
            fault = self._ask(deadline)
        except OSError as error:
            return Outcome.unhealthy(fault_of(error))
        took = time.monotonic() - began
        if fault is not None:
            return Outcome.unhealthy(fault, seconds=round(took, 4))
        if self.slow_after is not None and took > self.slow_after.total_seconds():
            limit = self.slow_after.total_seconds()
            return Outcome.degraded(
                f"slow: {took:.2f} s, at most {limit:g} s are expected", seconds=round(took, 4)
            )
        return Outcome.healthy(seconds=round(took, 4))

    def target(self) -> str:
        return self.address

    def _ask(self, deadline: float) -> str | None:
        """Returns what is wrong with the answer, or None. Raises OSError."""
        match = _ADDRESS.fullmatch(self.address)
        assert match is not None
        place = (match[1] or match[2], int(match[3]))
        with connect(*place, deadline) as connection:
            if self.send is not None:
                connection.sendall(self.send.encode())
            return None if self.expect is None else _read(connection, self.expect, deadline)


def _read(connection: socket.socket, expect: str, deadline: float) -> str | None:
    wanted, answer = expect.encode(), b""
    while wanted not in answer:
        if len(answer) >= MOST_READ:
            return f"the expected text is not in the first {MOST_READ} bytes of the answer"
        try:
            connection.settimeout(time_left(deadline))
            part = connection.recv(MOST_READ - len(answer))
        except TimeoutError:
            return f"the expected text did not come; {len(answer)} bytes did"
        if not part:
            return f"the connection was closed after {len(answer)} bytes, without the expected text"
        answer += part
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    return None


def fault_of(error: OSError) -> str:
    """Returns why there is no connection, each cause in its own words."""
    if isinstance(error, TimeoutError):
        return "no answer in time: filtered, or the host is down"
    if isinstance(error, socket.gaierror):
        return "the name of the host is not known"
    if isinstance(error, ConnectionRefusedError):
        return "refused: nothing listens at that port"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "the connection was cut by the other side"
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "no way to the host: the network is unreachable"
    return f"cannot connect: {error.strerror or type(error).__name__}"


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"tcp": Tcp}
