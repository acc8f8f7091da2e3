"""Heartbeats: when each last came in, and since when it has been expected."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from healthkit._store.tables import heartbeats


def record(connection: Connection, name: str, now: datetime) -> None:
    """Records a heartbeat."""
    _expect(connection, name, now)
    connection.execute(update(heartbeats).where(heartbeats.c.name == name).values(last_at=now))


def last_beat(connection: Connection, name: str) -> datetime | None:
    query = select(heartbeats.c.last_at).where(heartbeats.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def waiting_since(connection: Connection, name: str, now: datetime) -> datetime:
    """Returns when a heartbeat was first expected: now, the first time that it is asked."""
    _expect(connection, name, now)
    query = select(heartbeats.c.waiting_since).where(heartbeats.c.name == name)
    moment: datetime = connection.execute(query).scalar_one()
    return moment


def _expect(connection: Connection, name: str, now: datetime) -> None:
    try:
        with connection.begin_nested():
            connection.execute(insert(heartbeats).values(name=name, waiting_since=now))
    except IntegrityError:
        pass  # it is expected already
