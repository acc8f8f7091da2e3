"""Queries on pending deliveries and dead letters."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from healthkit._model.alerts import DeadLetter, OutboxStatus, WatcherFaults
from healthkit._store import circuit_breakers, faults, lease
from healthkit._store.incidents import load_event
from healthkit._store.outbox import DEAD, SENDING, WAITING
from healthkit._store.tables import deliveries, events


def read(connection: Connection, now: datetime) -> OutboxStatus:
    """Returns the state of sending as the check `alerting` needs it."""
    leader = lease.leader(connection, now)
    counts = count_by_channel(connection)
    return OutboxStatus(
        watcher=leader.name if leader else None,
        oldest_due=oldest_due(connection, now),
        waiting=sum(n for (_, state), n in counts.items() if state in (WAITING, SENDING)),
        dead=sum(n for (_, state), n in counts.items() if state == DEAD),
        failing={
            channel.name: channel.error
            for channel in circuit_breakers.all_states(connection).values()
            if channel.is_open
        },
        faults=faults.read(connection) if leader else WatcherFaults(),
    )


def count_by_channel(connection: Connection) -> dict[tuple[str, str], int]:
    """Returns the number of deliveries for each (channel, state) of those that are not over."""
    query = (
        select(deliveries.c.channel, deliveries.c.state, func.count())
        .where(deliveries.c.state.in_((WAITING, SENDING, DEAD)))
        .group_by(deliveries.c.channel, deliveries.c.state)
    )
    return {(channel, state): count for channel, state, count in connection.execute(query)}


def oldest_due(connection: Connection, now: datetime) -> datetime | None:
    """Returns when the oldest delivery that should have been sent was due."""
    late = and_(deliveries.c.state.in_((WAITING, SENDING)), deliveries.c.due <= now)
    moment: datetime | None = connection.execute(
        select(func.min(deliveries.c.due)).where(late)
    ).scalar_one()
    return moment


def dead_letters(connection: Connection, limit: int) -> list[DeadLetter]:
    """Returns dead letters, the latest first."""
    query = (
        select(deliveries, events.c.body)
        .join(events, events.c.id == deliveries.c.event)
        .where(deliveries.c.state == DEAD)
        .order_by(deliveries.c.id.desc())
        .limit(limit)
    )
    return [
        DeadLetter(
            row.id,
            row.channel,
            load_event(row.body),
            row.error or "",
            row.attempts,
            row.changed_at,
        )
        for row in connection.execute(query)
    ]
