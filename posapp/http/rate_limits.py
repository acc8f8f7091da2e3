"""Rate limits, kept in the database for all workers and instances.

Each key has an allowance of so many tries, which grows again by one every so often (GCRA, the
"leaky bucket as a meter"). So a limit slows down, and never locks: there is a next try soon. One
statement counts and decides, and the row's lock queues those who try at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import DateTime, Text, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from posapp.database.base import Base

_PRUNED = 20
"""Rows that have no more to say, removed with each try: more than a try can add."""


class Allowance(Base):
    """When the allowance of a key is whole again; a key without a row has all of it."""

    __tablename__ = "allowances"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    whole_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`burst` tries at once, and one more each `interval`."""

    burst: int
    interval: timedelta


def take(session: Session, key: str, limit: RateLimit, now: datetime) -> int:
    """Uses up one try of `key`. Returns 0, or the seconds until there is one to use.

    What is used up counts for others when the caller has committed, who wait for that. An allowance
    that is whole later than any try can make it was counted by a clock that has been set back
    since: it is whole, or nobody could sign in for as long.
    """
    slack = limit.interval * (limit.burst - 1)
    set_back = Allowance.whole_at > now + limit.interval * (limit.burst + 1)
    row = insert(Allowance).values(key=key, whole_at=now + limit.interval)
    counted = row.on_conflict_do_update(
        index_elements=[Allowance.key],
        set_={
            "whole_at": case((set_back, now), else_=func.greatest(Allowance.whole_at, now))
            + limit.interval
        },
        where=or_(Allowance.whole_at <= now + slack, set_back),
    ).returning(Allowance.whole_at)
    if session.scalar(counted) is not None:
        _prune(session, now)
        return 0
    # ON CONFLICT has locked the row that it did not update: it is still as it was found.
    whole_at = session.scalars(select(Allowance.whole_at).where(Allowance.key == key)).one()
    return math.ceil((whole_at - slack - now).total_seconds())


def give_back(session: Session, key: str, limit: RateLimit) -> None:
    """Returns a try that was none."""
    session.execute(
        update(Allowance)
        .where(Allowance.key == key)
        .values(whole_at=Allowance.whole_at - limit.interval)
    )


def _prune(session: Session, now: datetime) -> None:
    over = select(Allowance.key).where(Allowance.whole_at < now).order_by(Allowance.whole_at)
    found = over.limit(_PRUNED).with_for_update(skip_locked=True)
    session.execute(delete(Allowance).where(Allowance.key.in_(found)))
