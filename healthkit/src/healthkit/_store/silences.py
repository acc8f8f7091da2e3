"""Silences: somebody's word that a fault is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from healthkit._store.tables import silences


@dataclass(frozen=True, slots=True)
class Silence:
    """An empty `checks` and `tags` means every check."""

    id: int
    until: datetime
    reason: str = ""
    checks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    by: str = ""


def add(
    connection: Connection,
    until: datetime,
    now: datetime,
    *,
    reason: str = "",
    checks: Sequence[str] = (),
    tags: Sequence[str] = (),
    by: str = "",
) -> int:
    """The number of a new silence."""
    values = {
        "until": until,
        "reason": reason,
        "checks": json.dumps(list(checks)),
        "tags": json.dumps(list(tags)),
        "made_by": by,
        "made_at": now,
    }
    key = connection.execute(insert(silences).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def active(connection: Connection, now: datetime) -> list[Silence]:
    """Silences that hold now, the first to end first."""
    query = select(silences).where(silences.c.until > now).order_by(silences.c.until)
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


def end(connection: Connection, number: int, now: datetime) -> bool:
    """Ends a silence now; False when there is none of that number that still holds."""
    ended = (
        update(silences).where(silences.c.id == number, silences.c.until > now).values(until=now)
    )
    return connection.execute(ended).rowcount == 1
