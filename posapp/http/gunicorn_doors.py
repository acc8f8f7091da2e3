"""Puts our doors into a worker of gunicorn, of whichever kind: limits on its connections, and
answers of our form to what it refuses.

gunicorn has hooks around a request (they tell the socket, in deploy/gunicorn.conf.py) and none
around a connection, so the worker's own methods are replaced, on the one object.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import partial
from typing import Any

from posapp.http import refusals
from posapp.http.connections import Connections, GuardedSocket, Limits, Overloaded

_NOTICE = 0.2
"""Seconds until a worker that is to end lets go of connections that rest."""


def install(worker: Any, trusted_proxies: int) -> None:
    """Guards the connections of a worker that is about to take its first. Behind a proxy all come
    from one address, so it is the proxy that counts by address."""
    limits = Limits() if trusted_proxies == 0 else Limits(per_address=None)
    table = Connections(limits, time.monotonic)
    worker.handle_error = partial(refusals.refuse, worker)
    if hasattr(worker, "enqueue_req"):
        _guard_threads(worker, table)
    else:
        _guard_greenlets(worker, table)


def _guard_greenlets(worker: Any, table: Connections) -> None:
    import gevent  # where the worker has patched what it replaces

    handle = worker.handle
    worker.timeout_ctx = nullcontext  # the guard has times of its own, for each phase

    def handle_guarded(listener: Any, client: Any, addr: Any) -> None:
        guarded = table.open(client, addr)
        if guarded.refused:
            worker.handle_error(None, guarded, addr, Overloaded())
            guarded.close()
        else:
            handle(listener, guarded, addr)  # closes it

    def close_at_end() -> None:
        while worker.alive:  # by a signal, or after its last request: nothing else says so
            gevent.sleep(_NOTICE)
        table.close_resting()

    worker.handle = handle_guarded
    gevent.spawn(close_at_end)


def _guard_threads(worker: Any, table: Connections) -> None:
    enqueue, handle = worker.enqueue_req, worker.handle

    def enqueue_guarded(conn: Any) -> None:
        if not isinstance(conn.sock, GuardedSocket):
            conn.sock = table.open(conn.sock, conn.client)
        enqueue(conn)

    def handle_guarded(conn: Any) -> Any:
        if conn.sock.refused:
            conn.sock.setblocking(True)
            worker.handle_error(None, conn.sock, conn.client, Overloaded())
            return False
        return handle(conn)

    worker.enqueue_req, worker.handle = enqueue_guarded, handle_guarded
