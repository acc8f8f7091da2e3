"""Sign-ins that are over go after a month, with their refresh tokens; the audit log keeps them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, or_, select
from sqlalchemy.orm import Session

from posapp.features.auth.models import RefreshToken, SignIn

KEPT = timedelta(days=30)
"""After its end, so that a stolen token that comes late is still known."""

MOST = 200
"""Sign-ins of one account: a program that signs in for each request ends its own oldest."""


def prune_sign_ins(session: Session, now: datetime, batch: int) -> int:
    """Removes up to `batch` sign-ins that ended long ago or are too many; returns their number."""
    rank = func.row_number().over(
        partition_by=SignIn.user_id, order_by=(SignIn.created_at.desc(), SignIn.id)
    )
    ranked = select(SignIn.id, rank.label("rank")).subquery()
    ended = func.coalesce(SignIn.ended_at, SignIn.expires_at)
    query = (
        select(SignIn.id)
        .join(ranked, ranked.c.id == SignIn.id)
        .where(or_(ended < now - KEPT, ranked.c.rank > MOST))
        .limit(batch)
    )
    ids = list(session.scalars(query))
    session.execute(delete(RefreshToken).where(RefreshToken.family.in_(ids)))
    session.execute(delete(SignIn).where(SignIn.id.in_(ids)))
    return len(ids)


def prune_tokens(session: Session, now: datetime, batch: int) -> int:
    """Removes up to `batch` refresh tokens of the version before, which had no sign-in."""
    known = select(SignIn.id).where(SignIn.id == RefreshToken.family).exists()
    old = select(RefreshToken.id).where(RefreshToken.expires_at < now - KEPT, ~known).limit(batch)
    removed = delete(RefreshToken).where(RefreshToken.id.in_(old))
    return cast(CursorResult[Any], session.execute(removed)).rowcount
