"""Texts of staff for everybody: notices of their own, and updates to incidents."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from healthkit._store.tables import incidents, notes, notices
from healthkit.masking import one_line

LONGEST_TITLE, LONGEST_TEXT = 200, 2_000
MOST = 200
"""Notices that are read."""
MOST_NOTES, MOST_NOTES_OF_ONE = 500, 50
"""Updates that are read: in all, and of one incident or notice."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that staff have opened: no check has found it."""

    id: int
    title: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Note:
    """An update, to an incident or to a notice."""

    id: int
    incident: int | None
    notice: int | None
    at: datetime
    text: str


def open_notice(connection: Connection, title: str, now: datetime) -> int:
    """Returns its number."""
    values = {"title": one_line(title, LONGEST_TITLE), "began_at": now}
    done = connection.execute(insert(notices).values(values))
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def close_notice(connection: Connection, number: int, now: datetime) -> bool:
    """Returns False where none of that number is open."""
    query = update(notices).where(notices.c.id == number, notices.c.ended_at.is_(None))
    return connection.execute(query.values(ended_at=now)).rowcount > 0


def exists(
    connection: Connection, *, incident: int | None = None, notice: int | None = None
) -> bool:
    table, number = (incidents, incident) if incident is not None else (notices, notice)
    return connection.execute(select(table.c.id).where(table.c.id == number)).first() is not None


def add_note(
    connection: Connection,
    text: str,
    by: str,
    now: datetime,
    *,
    incident: int | None = None,
    notice: int | None = None,
) -> None:
    """Adds an update to an incident or to a notice."""
    values = {"incident": incident, "notice": notice, "at": now, "made_by": one_line(by, 100)}
    connection.execute(insert(notes).values(body=one_line(text, LONGEST_TEXT), **values))


def list_notices(connection: Connection, since: datetime) -> list[Notice]:
    """Returns those that are open, and then those that have ended since, the latest first."""
    query = (
        select(notices)
        .where((notices.c.ended_at.is_(None)) | (notices.c.ended_at > since))
        .order_by(notices.c.ended_at.is_not(None), notices.c.id.desc())
        .limit(MOST)
    )
    return [Notice(r.id, r.title, r.began_at, r.ended_at) for r in connection.execute(query)]


def list_notes(
    connection: Connection, of_incidents: Collection[int], of_notices: Collection[int]
) -> Iterable[Note]:
    """Returns the last updates of each of these incidents and notices, the latest first."""
    place = func.row_number().over(
        partition_by=(notes.c.incident, notes.c.notice), order_by=notes.c.id.desc()
    )
    found = (
        select(notes, place.label("place"))
        .where(notes.c.incident.in_(of_incidents) | notes.c.notice.in_(of_notices))
        .subquery()
    )
    query = select(found).where(found.c.place <= MOST_NOTES_OF_ONE)
    query = query.order_by(found.c.id.desc()).limit(MOST_NOTES)
    return [Note(r.id, r.incident, r.notice, r.at, r.body) for r in connection.execute(query)]
