"""What is known of each check, the incidents that came of it, and the events that tell of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from healthkit._store.tables import deliveries, events, incidents, states

ACKNOWLEDGED, ENDED, UNKNOWN = "acknowledged", "ended", "unknown"


@dataclass(frozen=True, slots=True)
class StoredState:
    """The policy's state of a check as text, its last incident, and the last result in it."""

    state: str
    incident: int | None
    epoch: int
    number: int


@dataclass(frozen=True, slots=True)
class Incident:
    """A check that was not healthy for a while; `level` is the worst that it came to."""

    id: int
    check: str
    label: str
    severity: str
    level: int
    error: str
    began_at: datetime
    ended_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str


# States


def load_states(connection: Connection) -> dict[str, StoredState]:
    return {
        row.check_name: StoredState(row.state, row.incident, row.epoch, row.number)
        for row in connection.execute(select(states))
    }


def save_state(connection: Connection, check: str, stored: StoredState, now: datetime) -> None:
    values = {
        "state": stored.state,
        "incident": stored.incident,
        "epoch": stored.epoch,
        "number": stored.number,
        "updated_at": now,
    }
    changed = update(states).where(states.c.check_name == check).values(**values)
    if connection.execute(changed).rowcount == 0:
        connection.execute(insert(states).values(check_name=check, **values))


def forget_checks(connection: Connection, known: Collection[str], now: datetime) -> list[str]:
    """Drops the states of checks that are no longer configured and ends their incidents."""
    gone = [name for name in load_states(connection) if name not in known]
    for name in gone:
        connection.execute(delete(states).where(states.c.check_name == name))
        open_ones = (incidents.c.check_name == name) & incidents.c.ended_at.is_(None)
        connection.execute(update(incidents).where(open_ones).values(ended_at=now))
    return gone


# Incidents


def begin(
    connection: Connection,
    check: str,
    label: str,
    severity: str,
    level: int,
    error: str,
    began_at: datetime,
) -> int:
    """The number of a new incident."""
    values = {
        "check_name": check,
        "label": label,
        "severity": severity,
        "level": level,
        "error": error,
        "began_at": began_at,
    }
    key = connection.execute(insert(incidents).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def worsen(connection: Connection, number: int, level: int, error: str) -> None:
    worse = (incidents.c.id == number) & (incidents.c.level < level)
    connection.execute(update(incidents).where(worse).values(level=level, error=error))


def finish(connection: Connection, number: int, at: datetime) -> None:
    connection.execute(update(incidents).where(incidents.c.id == number).values(ended_at=at))


def acknowledge(connection: Connection, number: int, by: str, now: datetime) -> str:
    """ACKNOWLEDGED, or why not: ENDED, UNKNOWN. A second word changes nothing of the first."""
    row = connection.execute(select(incidents).where(incidents.c.id == number)).one_or_none()
    if row is None:
        return UNKNOWN
    if row.ended_at is not None:
        return ENDED
    first = (incidents.c.id == number) & incidents.c.acknowledged_at.is_(None)
    values = {"acknowledged_at": now, "acknowledged_by": by}
    connection.execute(update(incidents).where(first).values(**values))
    return ACKNOWLEDGED


def acknowledged(connection: Connection) -> set[int]:
    """Open incidents that somebody is on."""
    query = select(incidents.c.id).where(
        incidents.c.ended_at.is_(None), incidents.c.acknowledged_at.is_not(None)
    )
    return set(connection.execute(query).scalars())


def newest(connection: Connection, limit: int, *, only_open: bool = False) -> list[Incident]:
    """Incidents, the latest first."""
    query = select(incidents).order_by(incidents.c.id.desc()).limit(limit)
    if only_open:
        query = query.where(incidents.c.ended_at.is_(None))
    return [
        Incident(
            row.id,
            row.check_name,
            row.label,
            row.severity,
            row.level,
            row.error or "",
            row.began_at,
            row.ended_at,
            row.acknowledged_at,
            row.acknowledged_by or "",
        )
        for row in connection.execute(query)
    ]


# Events


def add_event(
    connection: Connection, incident: int | None, rank: int, at: datetime, body: str
) -> int:
    """The number of a new event, which deliveries refer to."""
    values = {"incident": incident, "rank": rank, "at": at, "body": body}
    key = connection.execute(insert(events).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def told(connection: Connection, incident: int | None) -> list[str]:
    """The channels that are owed, or have got, a message of an incident."""
    if incident is None:
        return []
    query = (
        select(deliveries.c.channel)
        .join(events, events.c.id == deliveries.c.event)
        .where(events.c.incident == incident)
        .distinct()
        .order_by(deliveries.c.channel)
    )
    return list(connection.execute(query).scalars())
