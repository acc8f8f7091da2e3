"""The outbox: what is owed to which channel.

    waiting ──claim──▶ sending ──▶ sent
       ▲                  │
       ├──── failed ──────┤
       └──── recover ─────┘        waiting ──▶ moved (to the fallback) or dead

`sending` is committed before anything is sent and `sent` after the service has accepted. Between
the two lies the only place where a message can double: a process that is killed there leaves
`sending` behind, its successor cannot know, and sends again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
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

from healthkit._store import circuit_breakers
from healthkit._store.tables import Name, Utc, channels, deliveries, events

WAITING, SENDING, SENT, MOVED, DEAD = "waiting", "sending", "sent", "moved", "dead"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one message is to tell: `total` events, of which the first `bodies` are named.

    A `single` event has a message of its own; others share a digest, `storm` when they were not
    meant to.
    """

    batch: int
    channel: str
    bodies: tuple[str, ...]
    total: int
    attempts: int
    digest: bool = False
    storm: bool = False
    origins: tuple[str, ...] = ()

    @property
    def single(self) -> bool:
        return self.total == 1 and not self.digest


def owe(
    connection: Connection,
    event: int,
    channel: str,
    due: datetime,
    now: datetime,
    *,
    digest: bool = False,
) -> None:
    """Writes down that an event is owed to a channel; in the transaction that made the event."""
    values = {"event": event, "channel": channel, "due": due, "digest": digest}
    connection.execute(
        insert(deliveries).values(**values, state=WAITING, attempts=0, changed_at=now)
    )


def due_channels(connection: Connection, now: datetime) -> set[str]:
    """Channels for which something can be sent now."""
    query = (
        select(deliveries.c.channel)
        .outerjoin(channels, channels.c.name == deliveries.c.channel)
        .where(
            _is_due(now),
            or_(channels.c.retry_at.is_(None), channels.c.retry_at <= now),
        )
        .distinct()
    )
    return set(connection.execute(query).scalars())


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Only digests wait for their time: for the rest a clock put back changes nothing."""
    late = or_(deliveries.c.digest.is_(False), deliveries.c.due <= now)
    return and_(deliveries.c.state == WAITING, late)


# Sending


def claim(
    connection: Connection, channel: str, now: datetime, *, burst: int, named: int
) -> Claim | None:
    """Takes the next message of a channel: its oldest event, or many of them in one.

    Digests are made of all that is due; more than `burst` waiting events go together as well. None
    when nothing is due, or the channel is to be left alone.
    """
    state = circuit_breakers.of(connection, channel)
    if state.retry_at is not None and state.retry_at > now:
        return None
    due = and_(_is_due(now), deliveries.c.channel == channel)
    oldest = select(deliveries).where(due).order_by(deliveries.c.due, deliveries.c.id).limit(1)
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


def _claimed(connection: Connection, channel: str, head: Any, named: int, storm: bool) -> Claim:
    mine = and_(deliveries.c.state == SENDING, deliveries.c.batch == head.id)
    joined = select(events.c.body).join(deliveries, deliveries.c.event == events.c.id).where(mine)
    bodies = connection.execute(joined.order_by(events.c.rank, events.c.id).limit(named))
    origins = select(deliveries.c.origin).where(mine, deliveries.c.origin.is_not(None)).distinct()
    return Claim(
        batch=head.id,
        channel=channel,
        bodies=tuple(bodies.scalars()),
        total=_count(connection, mine),
        attempts=head.attempts + 1,
        digest=head.digest or storm,
        storm=storm,
        origins=tuple(connection.execute(origins).scalars()),
    )


def sent(connection: Connection, claim: Claim, now: datetime) -> None:
    """The service has accepted it; the circuit closes."""
    _conclude(connection, claim, now, SENT)
    circuit_breakers.close(connection, claim.channel, last_sent_at=now)


def failed(
    connection: Connection, claim: Claim, now: datetime, error: str, retry_at: datetime
) -> None:
    """It waits again, at the head of its channel, which is left alone until `retry_at`."""
    _conclude(connection, claim, now, WAITING, error)
    circuit_breakers.count_failure(connection, claim.channel, now, error, retry_at)


def put_back(connection: Connection, claim: Claim, now: datetime) -> None:
    """It was not sent after all and waits again, without blame on its channel."""
    _conclude(connection, claim, now, WAITING)


def drop(
    connection: Connection, claim: Claim, now: datetime, error: str, fallback: str | None
) -> None:
    """The service will never take this message: it goes to the fallback, or is dead."""
    mine = _of(claim)
    _pass_on(connection, mine, now, error, fallback)
    circuit_breakers.close(connection, claim.channel)


def give_up(
    connection: Connection, channel: str, now: datetime, patience: timedelta, fallback: str | None
) -> int:
    """Moves what has waited longer than `patience` for a channel that has failed for as long; the
    number of what was moved. The fallback gets nothing twice that it has been owed already."""
    state = circuit_breakers.of(connection, channel)
    if state.failing_since is None or now - state.failing_since < patience:
        return 0
    late = and_(
        deliveries.c.channel == channel,
        deliveries.c.state == WAITING,
        deliveries.c.due <= now - patience,
    )
    return _pass_on(connection, late, now, state.error, fallback)


def abandon(connection: Connection, known: set[str], now: datetime) -> int:
    """What waits for channels that are no longer configured, or off, is dead."""
    lost = and_(deliveries.c.state == WAITING, deliveries.c.channel.not_in(known))
    return _pass_on(connection, lost, now, "the channel is no longer configured, or off", None)


def recover(connection: Connection, now: datetime) -> int:
    """What a former leader was sending waits again: it may have arrived, which nobody can know."""
    was = "its sender ended before the answer; it may have arrived"
    again = update(deliveries).where(deliveries.c.state == SENDING)
    return connection.execute(again.values(state=WAITING, error=was, changed_at=now)).rowcount


def retry(connection: Connection, now: datetime, known: set[str]) -> int:
    """Sends the dead letters of known channels again, and tries every channel at once."""
    dead = and_(deliveries.c.state == DEAD, deliveries.c.channel.in_(known))
    values = {"state": WAITING, "due": now, "attempts": 0, "changed_at": now}
    count = connection.execute(update(deliveries).where(dead).values(**values)).rowcount
    circuit_breakers.try_now(connection)
    return count


def _pass_on(
    connection: Connection,
    which: ColumnElement[bool],
    now: datetime,
    error: str,
    fallback: str | None,
) -> int:
    if fallback is not None:
        told = select(deliveries.c.event).where(deliveries.c.channel == fallback)
        moved = select(
            deliveries.c.event,
            literal(fallback, Name),
            literal(now, Utc),
            deliveries.c.digest,
            literal(WAITING, String),
            literal(0),
            deliveries.c.channel,
            literal(now, Utc),
        ).where(which, deliveries.c.event.not_in(told))
        names = ["event", "channel", "due", "digest", "state", "attempts", "origin", "changed_at"]
        connection.execute(insert(deliveries).from_select(names, moved.order_by(deliveries.c.id)))
    state = MOVED if fallback is not None else DEAD
    values = {"state": state, "error": error, "changed_at": now}
    return connection.execute(update(deliveries).where(which).values(**values)).rowcount


def _of(claim: Claim) -> ColumnElement[bool]:
    return and_(
        deliveries.c.state == SENDING,
        deliveries.c.channel == claim.channel,
        deliveries.c.batch == claim.batch,
    )


def _conclude(
    connection: Connection, claim: Claim, now: datetime, state: str, error: str | None = None
) -> None:
    values = {"state": state, "error": error, "changed_at": now}
    connection.execute(update(deliveries).where(_of(claim)).values(**values))


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return int(
        connection.execute(select(func.count()).select_from(deliveries).where(which)).scalar_one()
    )


def forget(connection: Connection, before: datetime) -> None:
    """Drops what was over before a moment, and the events that nobody is owed any more."""
    over = and_(deliveries.c.state.in_((SENT, MOVED)), deliveries.c.changed_at < before)
    connection.execute(delete(deliveries).where(over))
    owed = select(deliveries.c.event)
    old = and_(events.c.at < before, events.c.id.not_in(owed))
    connection.execute(delete(events).where(old))
