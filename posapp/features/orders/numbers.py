"""Numbers of orders and receipts: from 1 on each business date, without gaps or twins.

The counter's row is locked until the transaction ends, so whoever takes a number has taken every
other lock before: one that waits with a number in its hand would keep all others waiting.

A number that somebody wrote by hand, or a counter that is behind, must not stop the selling: what
is taken is skipped, with an ERROR in the log and an entry in the audit log.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from loguru import logger
from sqlalchemy import text
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit

Kind = Literal["order", "receipt"]

_NUMBERED: dict[Kind, tuple[str, str]] = {
    "order": ("orders", "number"),
    "receipt": ("payments", "receipt_number"),
}
_NEXT = """
    INSERT INTO counters (kind, business_date, last)
    SELECT '{kind}', :day, 1
    FROM (SELECT id FROM users WHERE id = :user_id FOR KEY SHARE) AS held
    WHERE {condition} AND (
        EXISTS (SELECT FROM counters WHERE kind = '{kind}' AND business_date = :day)
        OR NOT EXISTS (SELECT FROM {table} WHERE business_date = :day AND {column} = 1))
    ON CONFLICT (kind, business_date) DO UPDATE SET last = counters.last + 1
        WHERE NOT EXISTS (
            SELECT FROM {table} WHERE business_date = :day AND {column} = counters.last + 1)
    RETURNING last
"""
_LAST = "SELECT last FROM counters WHERE kind = :kind AND business_date = :day FOR UPDATE"
_END_OF_RUN = """
    SELECT {column} FROM {table} AS taken
    WHERE business_date = :day AND {column} >= :number AND NOT EXISTS (
        SELECT FROM {table} WHERE business_date = :day AND {column} = taken.{column} + 1)
      AND EXISTS (SELECT FROM {table} WHERE business_date = :day AND {column} = :number)
    ORDER BY {column} LIMIT 1
"""
_SKIP = """
    INSERT INTO counters (kind, business_date, last) VALUES (:kind, :day, :last)
    ON CONFLICT (kind, business_date) DO UPDATE SET last = excluded.last
"""


def next_number(kind: Kind, condition: str = "true") -> str:
    """Returns the SQL that takes the next number of a kind and returns it as `last`.

    No row comes back where `condition` does not hold, or where somebody has that number already.
    The lock that the foreign key to the user needs comes before the counter's. Its parameters are
    `day` and `user_id`.
    """
    table, column = _NUMBERED[kind]
    return _NEXT.format(kind=kind, table=table, column=column, condition=condition)


def skip_taken(session: Session, kind: Kind, day: date, now: datetime) -> None:
    """Moves the counter to the end of the run of numbers before it that somebody has already."""
    table, column = _NUMBERED[kind]
    given = {"kind": kind, "day": day}
    first: int = (session.scalar(text(_LAST), given) or 0) + 1
    query = text(_END_OF_RUN.format(table=table, column=column))
    last = session.scalar(query, {"day": day, "number": first})
    if last is None:  # another till has skipped them
        return
    session.execute(text(_SKIP), {**given, "last": last})
    logger.bind(kind=kind, business_date=day.isoformat(), first=first, last=last).error(
        f"The next {kind} number was taken already and is skipped; who wrote it?"
    )
    audit.record(
        *(session, None, "number.skipped", kind, first, now),
        business_date=day.isoformat(),
        last=last,
    )
    session.flush()
