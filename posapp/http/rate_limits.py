"""Rate limits, counted in the database for all workers and instances."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from sqlalchemy import DateTime, Text, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from posapp.database.base import Base


class RateLimit(Base):
    """Tries within one window of time, shared by all workers and instances."""

    __tablename__ = "rate_limits"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    window: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    count: Mapped[int]


def _window(now: datetime, length: timedelta) -> datetime:
    seconds = int(length.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


def seconds_until_allowed(
    session: Session, key: str, limit: int, length: timedelta, now: datetime
) -> int:
    """Returns the seconds until `key` may try again, 0 for at once."""
    window = _window(now, length)
    query = select(RateLimit.count).where(RateLimit.key == key, RateLimit.window == window)
    tried = session.scalar(query) or 0
    return math.ceil((window + length - now).total_seconds()) if tried >= limit else 0


def record_attempt(session: Session, key: str, length: timedelta, now: datetime) -> None:
    """Records one more attempt of `key`, and removes its earlier windows."""
    window = _window(now, length)
    session.execute(
        insert(RateLimit)
        .values(key=key, window=window, count=1)
        .on_conflict_do_update(
            index_elements=[RateLimit.key, RateLimit.window],
            set_={"count": RateLimit.count + 1},
        )
    )
    session.execute(delete(RateLimit).where(RateLimit.key == key, RateLimit.window < window))
