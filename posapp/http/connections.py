"""The connections of a worker: each bounded in time, and all of them in number.

A client that says nothing, or half a request, holds a place only until somebody needs it: with too
many open, the one that has been waited for longest is closed. So nobody has to be refused because
others are silent, whoever and however many they are.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

LONGEST_HEAD = 16 * 1024
"""Bytes of a request that are kept, to say in the log what was refused."""


class Phase(Enum):
    """The state of a connection, by what is waited for."""

    HEAD = "the head of the request"
    BODY = "the body of the request"
    IDLE = "the next request"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for the whole of each phase, and numbers of connections."""

    head: float = 10.0
    body: float = 30.0
    idle: float = 65.0
    send: float = 60.0
    """For one piece of an answer: who takes no bytes for so long is gone."""
    per_address: int | None = 500
    """None where all come through a proxy, and so from one address."""
    total: int = 900

    def seconds(self, phase: Phase) -> float:
        return {Phase.HEAD: self.head, Phase.BODY: self.body, Phase.IDLE: self.idle}[phase]


class SlowClient(Exception):
    """The rest of a request has not come in time, or others needed the place."""


class Overloaded(Exception):
    """All places are taken by requests under way."""


class GuardedSocket:
    """A client's socket that waits for each phase no longer than it may; else it is the socket."""

    def __init__(self, sock: Any, address: str, table: Connections) -> None:
        self._sock = sock
        self._table = table
        self.address = address
        self.head = bytearray()
        """The beginning of the request at hand, as it came."""
        self.since: float | None = None
        """When the client began to be waited for; None while a request is under way."""
        self.evicted = False
        self.refused = False
        self._phase = Phase.HEAD
        self._begin(Phase.HEAD)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def begin_body(self) -> None:
        """The head is complete; whatever is read from now on is the body."""
        self._begin(Phase.BODY)
        self.since = None

    def begin_idle(self) -> None:
        """The answer is out; the next request may come."""
        self.head.clear()
        self._begin(Phase.IDLE)
        if self._table.closing:
            self.evict()

    @property
    def rests(self) -> bool:
        """Whether no request has begun on it."""
        return self.since is not None and self._phase is not Phase.BODY and not self.head

    def _begin(self, phase: Phase) -> None:
        self._phase = phase
        self.since = self._table.monotonic()
        self._deadline = self.since + self._table.limits.seconds(phase)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Returns bytes, or none at the end of the connection.

        Raises SlowClient for a request that has begun and does not go on.
        """
        if self._phase is Phase.BODY:
            self.since = self._deadline - self._table.limits.body
        try:
            data = self._receive(size, flags)
        finally:
            if self._phase is Phase.BODY:
                self.since = None
        if not data and self.evicted and self._under_way():
            raise SlowClient("others needed the connection")
        if self._phase is Phase.IDLE and data:
            self._begin(Phase.HEAD)
        if self._phase is Phase.HEAD and len(self.head) < LONGEST_HEAD:
            self.head += data
        return data

    def _receive(self, size: int, flags: int) -> bytes:
        left = self._deadline - self._table.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
            received: bytes = self._sock.recv(size, flags)
        except TimeoutError:
            if self._under_way():
                seconds = self._table.limits.seconds(self._phase)
                raise SlowClient(f"{self._phase.value} has not come within {seconds:g} s") from None
            return b""
        except OSError:
            if not self.evicted:  # gevent ends a wait in its own way
                raise
            return b""
        return received

    def _under_way(self) -> bool:
        return self._phase is Phase.BODY or bool(self.head)

    def sendall(self, data: bytes, flags: int = 0) -> None:
        """Raises ConnectionResetError for a client that takes nothing any more."""
        try:
            self._sock.settimeout(self._table.limits.send)
            self._sock.sendall(data, flags)
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, "the client takes no bytes") from None

    def unguarded_recv(self, size: int) -> bytes:
        """Returns what is still coming, within the socket's own timeout."""
        received: bytes = self._sock.recv(size)
        return received

    def evict(self) -> None:
        """Ends the wait for the client."""
        self.evicted = True
        with suppress(OSError):  # it may have gone by itself
            self._sock.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        self._table.forget(self)
        self._sock.close()


class Connections:
    """All connections of one worker. Works for threads and for greenlets."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self.limits = limits
        self.monotonic = monotonic
        self._by_address: dict[str, dict[GuardedSocket, None]] = {}
        """In the order in which they came."""
        self._lock = threading.Lock()  # held for no longer than a few dictionary operations
        self.closing = False
        """Whether the worker is about to end."""

    def open(self, sock: Any, peer: Any) -> GuardedSocket:
        """Guards a new connection, and closes others that only wait where there are too many.
        It is `refused` where none waits."""
        address = address_group(peer[0] if isinstance(peer, tuple) else "")
        guarded = GuardedSocket(sock, address, self)
        with self._lock:
            self._by_address.setdefault(address, {})[guarded] = None
            while (crowd := self._crowd(address)) is not None:
                waiting = [one for one in crowd if one.since is not None and one is not guarded]
                if not waiting:
                    guarded.refused = True
                    self._forget(guarded)
                    break
                longest = min(waiting, key=lambda one: one.since or 0.0)
                self._forget(longest)
                longest.evict()
        return guarded

    def _crowd(self, address: str) -> Collection[GuardedSocket] | None:
        """The connections of which one has to go, or None."""
        own = self._by_address[address]
        most = self.limits.per_address
        if address and most is not None and len(own) > most:
            return own
        if sum(map(len, self._by_address.values())) <= self.limits.total:
            return None
        waiting = {
            name: sum(one.since is not None for one in crowd)
            for name, crowd in self._by_address.items()
        }
        return self._by_address[max(waiting, key=lambda name: waiting[name])]

    def close_resting(self) -> None:
        """Lets go of connections without a request, now and from now on: a proxy keeps some open
        for its next one, and a worker that ends would wait for them."""
        self.closing = True
        with self._lock:
            resting = [one for crowd in self._by_address.values() for one in crowd if one.rests]
        for one in resting:
            one.evict()

    def forget(self, guarded: GuardedSocket) -> None:
        """The connection has ended."""
        with self._lock:
            self._forget(guarded)

    def _forget(self, guarded: GuardedSocket) -> None:
        crowd = self._by_address.get(guarded.address, {})
        crowd.pop(guarded, None)
        if not crowd:
            self._by_address.pop(guarded.address, None)


def address_group(address: str) -> str:
    """Returns the name of one client: an IPv4 address, or the /64 that a host of IPv6 gets."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)
