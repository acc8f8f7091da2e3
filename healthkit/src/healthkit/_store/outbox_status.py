"""What is still owed, and what was given up, as people and checks look at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from healthkit._store.outbox import DEAD, SENDING, WAITING
from healthkit._store.tables import deliveries, events


@dataclass(frozen=True, slots=True)
class Letter:
    """A delivery as people look at it."""

    id: int
    channel: str
    body: str
    error: str
    attempts: int
    changed_at: datetime


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many deliveries there are for each (channel, state) of those that are not over."""
    query = (
        select(deliveries.c.channel, deliveries.c.state, func.count())
        .where(deliveries.c.state.in_((WAITING, SENDING, DEAD)))
        .group_by(deliveries.c.channel, deliveries.c.state)
    )
    return {(channel, state): count for channel, state, count in connection.execute(query)}


def oldest_due(connection: Connection, now: datetime) -> datetime | None:
    """Since when the oldest of what should have been sent waits."""
    late = and_(deliveries.c.state.in_((WAITING, SENDING)), deliveries.c.due <= now)
    moment: datetime | None = connection.execute(
        select(func.min(deliveries.c.due)).where(late)
    ).scalar_one()
    return moment


def dead(connection: Connection, limit: int) -> list[Letter]:
    """Dead letters, the latest first."""
    query = (
        select(deliveries, events.c.body)
        .join(events, events.c.id == deliveries.c.event)
        .where(deliveries.c.state == DEAD)
        .order_by(deliveries.c.id.desc())
        .limit(limit)
    )
    return [
        Letter(row.id, row.channel, row.body, row.error or "", row.attempts, row.changed_at)
        for row in connection.execute(query)
    ]
