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
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit

Kind = Literal["order", "receipt"]

_NUMBERED: dict[Kind, tuple[str, str]] = {
    "order": ("orders", "number"),
    "receipt": ("payments", "receipt_number"),
}
# The lock that the foreign key to the user needs comes before the counter's.
_NEXT = """
    INSERT INTO counters (kind, business_date, last)
    SELECT :kind, :day, 1 FROM (SELECT id FROM users WHERE id = :user_id FOR KEY SHARE) AS held
    ON CONFLICT (kind, business_date) DO UPDATE SET last = counters.last + 1
    RETURNING last, EXISTS (
        SELECT FROM {table} WHERE business_date = :day AND {column} = counters.last) AS taken
"""
_LAST_TAKEN = """
    SELECT {column} FROM {table} AS taken
    WHERE business_date = :day AND {column} >= :number AND NOT EXISTS (
        SELECT FROM {table} WHERE business_date = :day AND {column} = taken.{column} + 1)
    ORDER BY {column} LIMIT 1
"""
_SKIP = text("UPDATE counters SET last = :last WHERE kind = :kind AND business_date = :day")


def allocate_number(session: Session, kind: Kind, day: date, user_id: int, now: datetime) -> int:
    """Allocates the next number of a kind that nobody has on this business date, to a user."""
    number, taken = _next(session, kind, day, user_id)
    if taken:
        skip_taken(session, kind, day, number, now)
        number, _ = _next(session, kind, day, user_id)
    return number


def skip_taken(session: Session, kind: Kind, day: date, number: int, now: datetime) -> None:
    """Moves the counter to the end of the run of taken numbers that begins with `number`."""
    last: int = session.execute(
        _sql(_LAST_TAKEN, kind), {"day": day, "number": number}
    ).scalar_one()
    session.execute(_SKIP, {"last": last, "kind": kind, "day": day})
    logger.bind(kind=kind, business_date=day.isoformat(), first=number, last=last).error(
        f"The next {kind} number was taken already and is skipped; who wrote it?"
    )
    audit.record(
        *(session, None, "number.skipped", kind, number, now),
        business_date=day.isoformat(),
        last=last,
    )


def _next(session: Session, kind: Kind, day: date, user_id: int) -> tuple[int, bool]:
    given = {"kind": kind, "day": day, "user_id": user_id}
    row = session.execute(_sql(_NEXT, kind), given).one()
    return row.last, row.taken


def _sql(statement: str, kind: Kind) -> TextClause:
    table, column = _NUMBERED[kind]
    return text(statement.format(table=table, column=column))
