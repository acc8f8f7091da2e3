"""Connections by TCP that end by a deadline, for checks."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def time_left(deadline: float) -> float:
    """Returns the seconds until `deadline` (of `time.monotonic`). Raises TimeoutError after it."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def share_time(addresses: Sequence[T], deadline: float) -> Iterator[tuple[T, float]]:
    """Yields each address with the seconds that it may take: an equal share of what is left until
    `deadline`, so that one that is silent leaves time for the next. Raises TimeoutError after it.
    """
    for number, address in enumerate(addresses):
        yield address, time_left(deadline) / (len(addresses) - number)


def connect(host: str, port: int, deadline: float) -> socket.socket:
    """Returns a connection to the first address of a host that answers. Raises OSError: the last
    address's, or TimeoutError at the deadline."""
    last: OSError = TimeoutError("timed out")
    found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    for (family, kind, protocol, _, place), seconds in share_time(found, deadline):
        try:
            connection = socket.socket(family, kind, protocol)
        except OSError as error:
            last = error
            continue
        try:
            connection.settimeout(seconds)
            connection.connect(place)
        except OSError as error:
            connection.close()
            last = error
        else:
            return connection
    raise last
