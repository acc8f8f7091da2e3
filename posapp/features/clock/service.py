"""The clock compared with the database, and a manager's word on it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.auth.approvals import Approved
from posapp.features.clock.models import ClockConfirmation
from posapp.features.clock.reading import Reading, Word
from posapp.features.orders import service as orders
from posapp.http.errors import Conflict, said


def read(session: Session, now: datetime) -> Reading:
    """Compares `now`, as the caller's clock has it, with the database's clock and newest rows."""
    database = session.execute(select(func.clock_timestamp())).scalar_one()
    moments = [orders.newest_at(session), audit.newest_at(session)]
    last = select(ClockConfirmation).order_by(ClockConfirmation.id.desc()).limit(1)
    word = session.scalar(last)
    return Reading(
        now=now,
        database=database,
        newest=max((moment for moment in moments if moment is not None), default=None),
        word=Word(word.at, word.evidence) if word else None,
    )


def confirm(session: Session, approved: Approved) -> Reading:
    """Keeps a manager's word that sales go on. Raises Conflict for a clock that needs none."""
    reading = read(session, approved.at)
    if reading.sells:
        extension = said("clock_right")
        raise Conflict("Nothing is sold less for this clock; no word is needed.", extension)
    word = ClockConfirmation(
        at=reading.now,
        evidence=reading.evidence,
        reason=approved.reason,
        confirmed_by=approved.user_id,
        approved_by=approved.approver_id,
    )
    session.add(word)
    session.flush()
    audit.record(
        session,
        approved.user_id,
        "clock.confirmed",
        "clock",
        word.id,
        approved.at,
        evidence=reading.evidence.isoformat(),
        reason=approved.reason,
        approved_by=approved.approver_id,
    )
    return read(session, approved.at)
