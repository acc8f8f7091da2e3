"""Writes the audit log, in the transaction of the act itself: both are there, or neither."""

from __future__ import annotations

from datetime import datetime
from typing import Any

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
