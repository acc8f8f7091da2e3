"""One thing that is held up holds up no other: requests that change it do not take the whole pool.

Who waits for a row waits with a connection in the hand. Of the requests that change one order or
one account a process lets so many at the database that the others find connections.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, request

from posapp.http.errors import Unavailable

_CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Crowd:
    """Counts who is under way, by thing; at most `limit` at one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._under_way: Counter[object] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def join(self, thing: object) -> Iterator[None]:
        """Raises Unavailable where too many are at this thing already."""
        with self._lock:
            if self._under_way[thing] >= self._limit:
                raise Unavailable("Too many requests are about this at once; send it again.")
            self._under_way[thing] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[thing] -= 1
                if not self._under_way[thing]:
                    del self._under_way[thing]


def install(app: Flask, connections: int) -> None:
    """Lets requests that change what their path names take a third of the pool's connections."""
    crowd, dispatch = Crowd(max(1, connections // 3)), app.dispatch_request

    def dispatch_in_crowd() -> object:
        named = request.view_args
        if not named or request.method not in _CHANGES:
            return dispatch()
        with crowd.join(tuple(sorted(named.items()))):
            return dispatch()

    app.dispatch_request = dispatch_in_crowd  # type: ignore[method-assign,assignment]
