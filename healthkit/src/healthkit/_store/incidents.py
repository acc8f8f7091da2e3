"""States of checks, incidents, events and silences: values in, values out."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, Table, delete, insert, select, update

from healthkit import _outcomes
from healthkit._model.alerts import Event, EventKind, Incident, Level, Silence, State
from healthkit._model.checks import CheckInfo, Outcome, Severity
from healthkit._store.tables import (
    CLOCK_TOLERANCE,
    deliveries,
    events,
    incidents,
    notes,
    notices,
    silences,
    states,
)
from healthkit.masking import one_line

log = logging.getLogger("healthkit")

_LONGEST_NAME, _LONGEST_REASON = 100, 500
"""Characters of who did something, and of why."""
ACKNOWLEDGED, ENDED, UNKNOWN = "acknowledged", "ended", "unknown"

_STATE = TypeAdapter(State)
_EVENT = TypeAdapter(Event)
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
"""0 for critical, and so on."""


@dataclass(frozen=True, slots=True)
class StoredState:
    """The state of a check, its last incident, and the last result in it."""

    state: State
    incident: int | None
    epoch: int
    number: int


def _insert(connection: Connection, table: Table, **values: object) -> int:
    """Returns the number of the new row."""
    key = connection.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


# States


def load_states(connection: Connection) -> dict[str, StoredState]:
    """Returns the state of each check. Keys that a later version added are left out."""
    return {
        row.check_name: StoredState(
            _STATE.validate_json(row.state), row.incident, row.epoch, row.number
        )
        for row in connection.execute(select(states))
    }


def save_state(connection: Connection, check: str, stored: StoredState, now: datetime) -> None:
    values = {
        "state": _STATE.dump_json(stored.state, by_alias=True).decode(),
        "incident": stored.incident,
        "epoch": stored.epoch,
        "number": stored.number,
        "updated_at": now,
    }
    changed = update(states).where(states.c.check_name == check).values(**values)
    if connection.execute(changed).rowcount == 0:
        connection.execute(insert(states).values(check_name=check, **values))


def forget_checks(connection: Connection, known: Collection[str], now: datetime) -> list[str]:
    """Drops the states of checks that are no longer configured and ends their incidents.

    Returns the names of these checks.
    """
    names = connection.execute(select(states.c.check_name)).scalars()
    gone = [name for name in names if name not in known]
    for name in gone:
        connection.execute(delete(states).where(states.c.check_name == name))
        open_ones = (incidents.c.check_name == name) & incidents.c.ended_at.is_(None)
        connection.execute(update(incidents).where(open_ones).values(ended_at=now))
    return gone


# Incidents


def open_incident(
    connection: Connection, check: CheckInfo, level: Level, error: str, began_at: datetime
) -> int:
    """Returns the number of a new incident."""
    return _insert(
        connection,
        incidents,
        check_name=check.name,
        label=check.label,
        severity=check.severity.value,
        level=int(level),
        error=error,
        began_at=began_at,
    )


def raise_level(connection: Connection, number: int, level: Level, error: str) -> None:
    worse = (incidents.c.id == number) & (incidents.c.level < int(level))
    connection.execute(update(incidents).where(worse).values(level=int(level), error=error))


def close_incident(connection: Connection, number: int, at: datetime) -> None:
    connection.execute(update(incidents).where(incidents.c.id == number).values(ended_at=at))


def acknowledge(connection: Connection, number: int, by: str, now: datetime) -> str:
    """Returns ACKNOWLEDGED, or why not: ENDED, UNKNOWN. The first acknowledgement stands."""
    row = connection.execute(select(incidents).where(incidents.c.id == number)).one_or_none()
    if row is None:
        return UNKNOWN
    if row.ended_at is not None:
        return ENDED
    first = (incidents.c.id == number) & incidents.c.acknowledged_at.is_(None)
    values = {"acknowledged_at": now, "acknowledged_by": one_line(by, _LONGEST_NAME)}
    connection.execute(update(incidents).where(first).values(**values))
    return ACKNOWLEDGED


def acknowledged(connection: Connection) -> set[int]:
    """Returns the open incidents that are acknowledged."""
    query = select(incidents.c.id).where(
        incidents.c.ended_at.is_(None), incidents.c.acknowledged_at.is_not(None)
    )
    return set(connection.execute(query).scalars())


def latest(
    connection: Connection, limit: int, *, only_open: bool = False, before: int | None = None
) -> list[Incident]:
    """Returns incidents, the latest first; `before` is the id that the page before ended with."""
    query = select(incidents).order_by(incidents.c.id.desc()).limit(limit)
    if only_open:
        query = query.where(incidents.c.ended_at.is_(None))
    if before is not None:
        query = query.where(incidents.c.id < before)
    return [
        Incident(
            row.id,
            row.check_name,
            row.label,
            row.severity,
            Level(row.level),
            row.error or "",
            row.began_at,
            row.ended_at,
            row.acknowledged_at,
            row.acknowledged_by or "",
        )
        for row in connection.execute(query)
    ]


# Events


def add_event(connection: Connection, event: Event) -> int:
    """Returns the number of a new event, which deliveries refer to."""
    return _insert(
        connection,
        events,
        incident=event.incident,
        rank=_RANKS[event.check.severity],
        at=event.at,
        body=_dump_event(event),
    )


def _dump_event(event: Event) -> str:
    """Turns details that JSON lacks into text, and leaves out those that cannot even be that: they
    are a plugin's, and no alert is lost to them."""
    try:
        return _EVENT.dump_json(event, by_alias=True, fallback=str, warnings=False).decode()
    except Exception:  # noqa: BLE001  a plugin's objects may raise anything
        bare = replace(event, outcome=Outcome(event.outcome.status, event.outcome.message))
        return _EVENT.dump_json(bare, by_alias=True, warnings=False).decode()


def load_event(body: str) -> Event:
    """Reads an event from its row. Keys that a later version added are left out; of a body that
    is none (a later version's kind, a damaged row) comes what can be read: no alert is lost."""
    try:
        return _EVENT.validate_json(body)
    except ValueError:
        log.error("an event in the store cannot be read")
        return _barest_event(body)


def _barest_event(body: str) -> Event:
    try:
        read = json.loads(body)
        check, kind, at = read["check"]["name"], read["kind"], datetime.fromisoformat(read["at"])
    except (ValueError, TypeError, LookupError, RecursionError):
        check, kind, at = None, None, None
    name = _outcomes.line(check) or "unknown"
    known = next((one for one in EventKind if one == kind), EventKind.DOWN)
    what = Outcome.unhealthy("the event in the store cannot be read")
    moment = at.replace(tzinfo=at.tzinfo or UTC) if at else datetime(1970, 1, 1, tzinfo=UTC)
    return Event(known, CheckInfo(name=name, label=name), moment, what)


def notified_channels(connection: Connection, incident: int | None) -> list[str]:
    """Returns the channels that have, or will get, a message of an incident."""
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


# Silences


def add_silence(
    connection: Connection,
    until: datetime,
    now: datetime,
    *,
    reason: str = "",
    checks: Sequence[str] = (),
    tags: Sequence[str] = (),
    by: str = "",
) -> int:
    """Returns the number of a new silence."""
    return _insert(
        connection,
        silences,
        until=until,
        reason=one_line(reason, _LONGEST_REASON),
        checks=json.dumps(list(checks)),
        tags=json.dumps(list(tags)),
        made_by=one_line(by, _LONGEST_NAME),
        made_at=now,
    )


def forget(connection: Connection, before: datetime) -> None:
    """Deletes incidents and notices that ended before a moment, with what was noted of them."""
    for table, column in ((incidents, notes.c.incident), (notices, notes.c.notice)):
        old = select(table.c.id).where(table.c.ended_at < before)
        connection.execute(delete(notes).where(column.in_(old)))
        connection.execute(delete(table).where(table.c.ended_at < before))


def forget_silences(connection: Connection, before: datetime) -> None:
    """Deletes silences that ended before a moment."""
    connection.execute(delete(silences).where(silences.c.until < before))


def active_silences(connection: Connection, now: datetime) -> list[Silence]:
    """Returns the silences in force, the first to end first. One that was made later than it is now
    is none: the clock was put back, and would have it last for longer than it was meant to."""
    in_force = (silences.c.until > now) & (silences.c.made_at <= now + CLOCK_TOLERANCE)
    query = select(silences).where(in_force).order_by(silences.c.until)
    return [
        Silence(
            row.id,
            row.until,
            row.reason,
            tuple(json.loads(row.checks)),
            tuple(json.loads(row.tags)),
            row.made_by,
        )
        for row in connection.execute(query)
    ]


def end_silence(connection: Connection, number: int, now: datetime) -> bool:
    """Ends a silence now. Returns False when none of that number is in force."""
    this = (silences.c.id == number) & (silences.c.until > now)
    return connection.execute(update(silences).where(this).values(until=now)).rowcount == 1
