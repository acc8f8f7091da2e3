"""Heartbeats: when each last came in, since when it has been expected, and how its job went."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from healthkit._model.checks import Status
from healthkit._model.signals import LONGEST_OUTPUT, Run, Signal, SignalKind
from healthkit._store.tables import heartbeats, runs
from healthkit.masking import escape_controls, mask


def record(connection: Connection, signal: Signal) -> None:
    """Records what a job or an agent has sent in."""
    name, at = signal.name, signal.at
    _expect(connection, name, at)
    if signal.kind in (SignalKind.SUCCESS, SignalKind.RESULT):
        known = update(heartbeats).where(heartbeats.c.name == name)
        connection.execute(known.values(last_at=at))
    _insert_missing(connection, runs, name=name)
    row = update(runs).where(runs.c.name == name)
    connection.execute(row.values(**_changes(signal, _started_at(connection, name))))


def _changes(signal: Signal, started: datetime | None) -> dict[str, Any]:
    """Returns the columns that a signal changes; `started` is when the run under way has begun."""
    text = {} if signal.text is None else {"body": kept_output(signal.text)}
    if signal.kind is SignalKind.LOG:
        return text or {"name": signal.name}
    if signal.kind is SignalKind.START:
        return {"started_at": signal.at, **text}
    status = signal.status
    if status is None:
        succeeded = signal.kind is SignalKind.SUCCESS
        status = Status.HEALTHY if succeeded else Status.UNHEALTHY
    took = None if started is None else max(0.0, (signal.at - started).total_seconds())
    return {
        "started_at": None,
        "ended_at": signal.at,
        "status": status.value,
        "code": signal.code,
        "seconds": took,
        "body": kept_output(signal.text or ""),
        "numbers": json.dumps(dict(signal.numbers)),
    }


def kept_output(text: str) -> str:
    """Returns the end of what a job has said, masked, as any file and database can hold it."""
    end = text.strip()[-2 * LONGEST_OUTPUT :]
    lines = mask(end)[-LONGEST_OUTPUT:].splitlines()
    return "\n".join(map(escape_controls, lines))


def last_run(connection: Connection, name: str) -> Run | None:
    """Returns the last known of a job; None where nothing has ever been sent in."""
    row = connection.execute(select(runs).where(runs.c.name == name)).one_or_none()
    if row is None:
        return None
    status = None if row.status is None else Status(row.status)
    numbers = json.loads(row.numbers) if row.numbers else {}
    return Run(row.started_at, row.ended_at, status, row.code, row.seconds, row.body, numbers)


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


def _started_at(connection: Connection, name: str) -> datetime | None:
    query = select(runs.c.started_at).where(runs.c.name == name).with_for_update()
    return connection.execute(query).scalar_one_or_none()


def _expect(connection: Connection, name: str, now: datetime) -> None:
    _insert_missing(connection, heartbeats, name=name, waiting_since=now)


def _insert_missing(connection: Connection, table: Table, **values: Any) -> None:
    """Both databases leave what is there already without an error, which PostgreSQL would log."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(table).values(**values).on_conflict_do_nothing())
