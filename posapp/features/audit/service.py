"""The audit log, written in the transaction of the act itself: both are there, or neither."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from posapp.features.audit.models import AuditEntry
from posapp.observability.context import request_id


def record(
    session: Session,
    user_id: int | None,
    action: str,
    entity: str,
    entity_id: int,
    now: datetime,
    **details: Any,
) -> None:
    """Adds an entry: who did what to which thing; `details` can be written as JSON."""
    session.add(
        AuditEntry(
            at=now,
            user_id=user_id,
            action=action,
            entity=entity,
            entity_id=entity_id,
            request_id=request_id.get(),
            details=details,
        )
    )


def find(
    session: Session,
    *,
    user_id: int | None = None,
    action: str | None = None,
    entity: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    limit: int,
) -> list[AuditEntry]:
    """Returns entries, the newest first, that fit all of the filters; `before_id` is the cursor.

    `action` may end with `*`: `sign_in.*` is all that begins so.
    """
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if user_id is not None:
        query = query.where(AuditEntry.user_id == user_id)
    if action is not None and action.endswith("*"):
        query = query.where(AuditEntry.action.startswith(action[:-1], autoescape=True))
    elif action is not None:
        query = query.where(AuditEntry.action == action)
    if entity is not None:
        query = query.where(AuditEntry.entity == entity)
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if until is not None:
        query = query.where(AuditEntry.at < until)
    if before_id is not None:
        query = query.where(AuditEntry.id < before_id)
    return list(session.scalars(query))


def newest_at(session: Session) -> datetime | None:
    """Returns the latest moment of all entries, or None."""
    return session.scalar(select(func.max(AuditEntry.at)))
