"""Drops what has been kept for long enough, by a time that no jump of the clock carries away.

It follows the clock, but goes ahead no faster than twice as fast as time passes: a clock that is
ten years ahead for an hour has two hours' worth dropped.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from healthkit._store import history, incidents, outbox
from healthkit._store.tables import pruning

KEEP_SENT = timedelta(days=92)
KEEP_INCIDENTS = timedelta(days=3 * 366)
"""From their end; the status page shows a year."""
_AT_A_START = timedelta(hours=1)
"""How far it goes ahead in any case: nobody knows how long there was no watcher."""


def prune(connection: Connection, now: datetime, passed: timedelta | None) -> int:
    """Sums up the history and drops what is old. `passed` is the time since the last call, by a
    monotonic clock; None for the first of a process. Returns the number of dead letters that were
    given up, as there were too many."""
    upto = _advance(connection, now, _AT_A_START if passed is None else 2 * passed)
    history.roll_up(connection, now, upto)
    outbox.forget(connection, upto - KEEP_SENT)
    incidents.forget_silences(connection, upto - KEEP_SENT)
    incidents.forget(connection, upto - KEEP_INCIDENTS)
    return outbox.give_up_dead(connection)


def _advance(connection: Connection, now: datetime, most: timedelta) -> datetime:
    before: datetime | None = connection.execute(select(pruning.c.upto)).scalar_one_or_none()
    if before is None:
        connection.execute(insert(pruning).values(upto=now))
        return now
    upto = min(now, before + most)
    connection.execute(update(pruning).values(upto=upto))
    return upto
