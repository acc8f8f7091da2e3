"""Bounds what a server that is frozen would never end: its own limits are none, for it is the one
that would have to honour them, and TCP's are none, for the kernel answers in its place."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

from healthkit import _threads

_LIMIT = "healthkit_limit"


def limit_use(engine: Engine, seconds: float) -> None:
    """Cuts off a connection that has been in use for longer than `seconds`: the statement that
    waits on it then fails like one whose server has gone. Each use begins with a ping, within the
    limit as well, so that a connection that died while it lay in the pool is replaced."""

    @event.listens_for(engine, "checkout")
    def begin(connection: Any, record: Any, _: Any) -> None:
        record.info[_LIMIT] = _cut_off_after(connection, seconds)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            connection.rollback()
        except Exception as error:
            _end(record)
            raise DisconnectionError(str(error)) from error

    @event.listens_for(engine, "checkin")
    def end(_: Any, record: Any) -> None:
        _end(record)


def _end(record: Any) -> None:
    if (over := record.info.pop(_LIMIT, None)) is not None:
        over.release()


def _cut_off_after(connection: Any, seconds: float) -> Any:
    """Returns a lock whose release says that the use is over."""
    over = _threads.unpatched("_thread", "allocate_lock")()
    over.acquire()

    def wait() -> None:
        if not over.acquire(timeout=seconds):
            with suppress(Exception):  # it may have been closed meanwhile
                descriptor = socket.socket(fileno=os.dup(connection.fileno()))
                with descriptor:
                    descriptor.shutdown(socket.SHUT_RDWR)

    _threads.start_native_thread(wait)
    return over
