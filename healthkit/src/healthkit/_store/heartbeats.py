"""Heartbeats: when each last came in, and since when it has been expected."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from healthkit._store.tables import heartbeats


def record(connection: Connection, name: str, now: datetime) -> None:
    """Records a heartbeat."""
    _expect(connection, name, now)
    connection.execute(update(heartbeats).where(heartbeats.c.name == name).values(last_at=now))


def last_beat(connection: Connection, name: str) -> datetime | None:
    query = select(heartbeats.c.last_at).where(heartbeats.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def expected_since(connection: Connection, name: str) -> datetime | None:
    query = select(heartbeats.c.waiting_since).where(heartbeats.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def waiting_since(connection: Connection, name: str, now: datetime) -> datetime:
    """Returns when a heartbeat was first expected: now, the first time that it is asked."""
    _expect(connection, name, now)
    return expected_since(connection, name) or now


def _expect(connection: Connection, name: str, now: datetime) -> None:
    """Both databases leave what is there already without an error, which PostgreSQL would log."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new = insert(heartbeats).values(name=name, waiting_since=now)
    connection.execute(new.on_conflict_do_nothing())
