"""The audit log as admins read it: who did what, with names and filters.

It lies above the features because it joins two of them, which know nothing of each other's tables.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import StringConstraints
from sqlalchemy.orm import Session

from posapp.features.audit import service
from posapp.features.auth import accounts
from posapp.http.pages import Page, PageQuery, cut
from posapp.http.schemas import ApiModel, Instant, Text

_Word = Annotated[Text, StringConstraints(min_length=1, max_length=60)]


class AuditQuery(PageQuery):
    """Filters; all that are given have to fit."""

    user: _Word | None = None
    """A user name."""
    action: _Word | None = None
    """Like `payment.taken`, or the beginning of several: `sign_in.*`."""
    entity: _Word | None = None
    since: Instant | None = None
    until: Instant | None = None


class AuditEntryView(ApiModel):
    id: int
    at: datetime
    user: str | None
    """Who did it; null for a command at the server, or somebody unknown."""
    action: str
    entity: str
    entity_id: int
    request_id: str | None
    details: dict[str, Any]


class AuditPage(Page):
    entries: list[AuditEntryView]


def read(session: Session, query: AuditQuery) -> AuditPage:
    """Returns a page of the log, the newest entries first. Raises NotFound for an unknown user."""
    user_id = accounts.get_by_name(session, query.user).id if query.user else None
    found = service.find(
        session,
        user_id=user_id,
        action=query.action,
        entity=query.entity,
        since=query.since,
        until=query.until,
        before_id=query.cursor,
        limit=query.limit + 1,
    )
    entries, following = cut(found, query.limit)
    names = accounts.usernames(session, (entry.user_id for entry in entries if entry.user_id))
    return AuditPage(
        entries=[
            AuditEntryView(
                id=entry.id,
                at=entry.at,
                user=names.get(entry.user_id) if entry.user_id else None,
                action=entry.action,
                entity=entry.entity,
                entity_id=entry.entity_id,
                request_id=entry.request_id,
                details=entry.details,
            )
            for entry in entries
        ],
        next=following,
    )
