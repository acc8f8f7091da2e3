"""The outbox: the deliveries of each channel.

    waiting ──claim──▶ sending ──▶ sent
       ▲                  │
       ├──── failed ──────┤
       └──── recover ─────┘        waiting ──▶ moved (to the fallback) or dead

`sending` is committed before anything is sent and `sent` after the service has accepted. Between
the two lies the only place where a message can double: a process that is killed there leaves
`sending` behind, its successor cannot know, and sends again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from healthkit._model.alerts import Batch, Delivery
from healthkit._store import circuit_breakers
from healthkit._store.incidents import load_event
from healthkit._store.tables import CLOCK_TOLERANCE, Name, Utc, deliveries, events

WAITING, SENDING, SENT, MOVED, DEAD = "waiting", "sending", "sent", "moved", "dead"
MOST_DEAD = 10_000
"""Dead letters that are kept."""


def enqueue(connection: Connection, event: int, delivery: Delivery, now: datetime) -> None:
    """Adds a delivery of an event; in the transaction that made the event."""
    values = {"channel": delivery.channel, "due": delivery.due, "digest": delivery.digest}
    connection.execute(
        insert(deliveries).values(event=event, **values, state=WAITING, attempts=0, changed_at=now)
    )


def due_channels(connection: Connection, now: datetime) -> set[str]:
    """Returns the channels that have something to send; whether they are to be tried yet, their
    couriers know."""
    query = select(deliveries.c.channel).where(_is_due(now)).distinct()
    return set(connection.execute(query).scalars())


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Only digests wait for their time: for the rest a clock put back changes nothing. A digest
    that is further ahead of its event than it was when that came was put off by such a clock."""
    late = or_(
        deliveries.c.digest.is_(False),
        deliveries.c.due <= now,
        deliveries.c.changed_at > now + CLOCK_TOLERANCE,
    )
    return and_(deliveries.c.state == WAITING, late)


# Sending


def claim_batch(
    connection: Connection, channel: str, now: datetime, *, burst: int, named: int
) -> Batch | None:
    """Takes the next message of a channel: its oldest event, or many of them in one.

    A digest covers all deliveries that are due; more than `burst` waiting ones share a message as
    well. Returns None when nothing is due.
    """
    due = and_(_is_due(now), deliveries.c.channel == channel)
    oldest = select(deliveries).where(due).order_by(deliveries.c.event, deliveries.c.id).limit(1)
    head = connection.execute(oldest).one_or_none()
    if head is None:
        return None
    alike = and_(due, deliveries.c.digest == head.digest)
    storm = not head.digest and _count(connection, alike) > burst
    which = alike if head.digest or storm else deliveries.c.id == head.id
    values = {"state": SENDING, "batch": head.id, "changed_at": now}
    taken = update(deliveries).where(which)
    connection.execute(taken.values(**values, attempts=deliveries.c.attempts + 1))
    return _claimed(connection, channel, head, named, storm)


def _claimed(connection: Connection, channel: str, head: Any, named: int, storm: bool) -> Batch:
    mine = and_(deliveries.c.state == SENDING, deliveries.c.batch == head.id)
    joined = select(events.c.body).join(deliveries, deliveries.c.event == events.c.id).where(mine)
    bodies = connection.execute(joined.order_by(events.c.rank, events.c.id).limit(named))
    origins = select(deliveries.c.origin).where(mine, deliveries.c.origin.is_not(None)).distinct()
    return Batch(
        id=head.id,
        channel=channel,
        events=tuple(map(load_event, bodies.scalars())),
        total=_count(connection, mine),
        attempts=head.attempts + 1,
        digest=head.digest or storm,
        storm=storm,
        origins=tuple(connection.execute(origins).scalars()),
    )


def sent(connection: Connection, batch: Batch, now: datetime) -> None:
    """Records that the service has accepted the message; the circuit breaker closes."""
    _set_state(connection, batch, now, SENT)
    circuit_breakers.close(connection, batch.channel, last_sent_at=now)


def failed(
    connection: Connection, batch: Batch, now: datetime, error: str, retry_at: datetime
) -> None:
    """Returns the batch to the head of its channel, which is not tried before `retry_at`."""
    _set_state(connection, batch, now, WAITING, error)
    circuit_breakers.count_failure(connection, batch.channel, now, error, retry_at)


def requeue(connection: Connection, batch: Batch, now: datetime) -> None:
    """Returns a batch that was not sent to the queue; its channel did not fail."""
    _set_state(connection, batch, now, WAITING)


def reject(
    connection: Connection, batch: Batch, now: datetime, error: str, fallback: str | None
) -> None:
    """Moves a message that the service refuses for ever to the fallback, or makes it dead."""
    _move_to_fallback(connection, _of(batch), now, error, fallback)
    circuit_breakers.close(connection, batch.channel)


def newest(connection: Connection, channel: str) -> int:
    """Returns the number of the newest delivery that waits for a channel; 0 for none."""
    waiting = and_(deliveries.c.channel == channel, deliveries.c.state == WAITING)
    query = select(func.coalesce(func.max(deliveries.c.id), 0)).where(waiting)
    return int(connection.execute(query).scalar_one())


def expire(
    connection: Connection,
    channel: str,
    now: datetime,
    upto: int,
    attempts: int,
    fallback: str | None,
) -> int:
    """Moves what was due of a failing channel: up to the delivery `upto`, and what was tried as
    often as `attempts`. The caller knows by its own monotonic clock how long each has waited.

    Returns how many deliveries were moved. The fallback gets no event twice.
    """
    waited = or_(deliveries.c.id <= upto, deliveries.c.attempts >= attempts)
    late = and_(_is_due(now), deliveries.c.channel == channel, waited)
    error = circuit_breakers.get_state(connection, channel).error
    return _move_to_fallback(connection, late, now, error, fallback)


def expire_unconfigured(
    connection: Connection,
    known: set[str],
    now: datetime,
    instead: Callable[[str, int], Sequence[str]] = lambda channel, rank: (),
) -> tuple[int, int]:
    """Hands on what waits for channels that are no longer configured, or off.

    `instead(channel, rank)` returns who gets it: the channel's fallback, or those of the route of
    the events' severity (0 for critical, and so on). Returns how many deliveries were moved, and
    how many had to be given up.
    """
    lost = and_(deliveries.c.state == WAITING, deliveries.c.channel.not_in(known))
    why = "the channel is no longer configured, or off"
    ranks = select(deliveries.c.channel, events.c.rank).join(
        events, events.c.id == deliveries.c.event
    )
    moved = given_up = 0
    for channel, rank in connection.execute(ranks.where(lost).distinct()).all():
        of_rank = deliveries.c.event.in_(select(events.c.id).where(events.c.rank == rank))
        these = and_(lost, deliveries.c.channel == channel, of_rank)
        for other in instead(channel, rank):
            _copy(connection, these, now, other)
        copies = deliveries.alias()
        copied = select(copies.c.event).where(copies.c.origin == channel)
        values = {"error": why, "changed_at": now}
        ends = update(deliveries).where(these)
        handed_on = ends.where(deliveries.c.event.in_(copied)).values(state=MOVED, **values)
        moved += connection.execute(handed_on).rowcount
        given_up += connection.execute(ends.values(state=DEAD, **values)).rowcount
    return moved, given_up


def recover(connection: Connection, now: datetime, channel: str | None = None) -> int:
    """Requeues what a former leader was sending, on one channel or all: it may have arrived."""
    was = "its sender ended before the answer; it may have arrived"
    again = update(deliveries).where(deliveries.c.state == SENDING)
    if channel is not None:
        again = again.where(deliveries.c.channel == channel)
    return connection.execute(again.values(state=WAITING, error=was, changed_at=now)).rowcount


def retry(connection: Connection, now: datetime, known: set[str]) -> int:
    """Requeues the dead letters of known channels, and lets every channel be tried at once."""
    dead = and_(deliveries.c.state == DEAD, deliveries.c.channel.in_(known))
    values = {"state": WAITING, "due": now, "attempts": 0, "changed_at": now}
    count = connection.execute(update(deliveries).where(dead).values(**values)).rowcount
    circuit_breakers.reset_retry_times(connection)
    return count


def _move_to_fallback(
    connection: Connection,
    which: ColumnElement[bool],
    now: datetime,
    error: str,
    fallback: str | None,
) -> int:
    if fallback is not None:
        _copy(connection, which, now, fallback)
    state = MOVED if fallback is not None else DEAD
    values = {"state": state, "error": error, "changed_at": now}
    return connection.execute(update(deliveries).where(which).values(**values)).rowcount


def _copy(connection: Connection, which: ColumnElement[bool], now: datetime, to: str) -> None:
    """Adds deliveries of the same events for another channel, but for those that it has."""
    known = select(deliveries.c.event).where(deliveries.c.channel == to)
    copied = select(
        deliveries.c.event,
        literal(to, Name),
        literal(now, Utc),
        deliveries.c.digest,
        literal(WAITING, String),
        literal(0),
        deliveries.c.channel,
        literal(now, Utc),
    ).where(which, deliveries.c.event.not_in(known))
    names = ["event", "channel", "due", "digest", "state", "attempts", "origin", "changed_at"]
    connection.execute(insert(deliveries).from_select(names, copied.order_by(deliveries.c.id)))


def _of(batch: Batch) -> ColumnElement[bool]:
    return and_(
        deliveries.c.state == SENDING,
        deliveries.c.channel == batch.channel,
        deliveries.c.batch == batch.id,
    )


def _set_state(
    connection: Connection, batch: Batch, now: datetime, state: str, error: str | None = None
) -> None:
    values = {"state": state, "error": error, "changed_at": now}
    connection.execute(update(deliveries).where(_of(batch)).values(**values))


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return int(
        connection.execute(select(func.count()).select_from(deliveries).where(which)).scalar_one()
    )


def give_up_dead(connection: Connection, most: int = MOST_DEAD) -> int:
    """Deletes the oldest of more dead letters than `most`. Returns how many."""
    dead = deliveries.c.state == DEAD
    newest_first = select(deliveries.c.id).where(dead).order_by(deliveries.c.id.desc())
    last = connection.execute(newest_first.offset(most).limit(1)).scalar_one_or_none()
    if last is None:
        return 0
    return connection.execute(delete(deliveries).where(dead, deliveries.c.id <= last)).rowcount


def forget(connection: Connection, before: datetime) -> None:
    """Deletes deliveries that were over before a moment, and events without deliveries."""
    over = and_(deliveries.c.state.in_((SENT, MOVED)), deliveries.c.changed_at < before)
    connection.execute(delete(deliveries).where(over))
    pending = select(deliveries.c.event)
    old = and_(events.c.at < before, events.c.id.not_in(pending))
    connection.execute(delete(events).where(old))
