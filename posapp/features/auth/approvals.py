"""A manager's approval of an act: by their own role, or by their password typed in place. The limit
of wrong ones is that of signing in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.auth import service
from posapp.features.auth.models import User
from posapp.features.auth.schemas import Password, Username
from posapp.features.idempotency.service import (
    Resendable,
)
from posapp.http.errors import Forbidden
from posapp.http.schemas import ApiModel, Text

QUESTION = "approval"
"""What the till asks for: somebody's name and password."""

Reason = Annotated[Text, StringConstraints(min_length=3, max_length=200, strip_whitespace=True)]


class Approval(ApiModel):
    """Typed in place by who approves; nobody is signed in by it."""

    username: Username
    password: Password


class ApprovedRequest(Resendable):
    reason: Reason
    approval: Approval | None = None
    """Needed where the caller's own role does not approve."""


@dataclass(frozen=True, slots=True)
class Approved:
    """An act that was approved: who does it, by whose word, why and when."""

    user_id: int
    approver_id: int
    reason: str
    at: datetime


def approver_of(
    session: Session,
    user: User,
    approvers: Collection[str],
    given: Approval | None,
    address: str,
    now: datetime,
) -> int | None:
    """Returns the id of who approves an act of `user`, or records the failure and returns None.

    The caller commits in both cases. Raises Forbidden where nobody has been named who could, and
    TooManyRequests like a sign-in.
    """
    if given is None:
        if user.role in approvers:
            return user.id
        raise Forbidden(
            f"This needs the approval of: {', '.join(approvers)}.", {"question": QUESTION}
        )
    found = service.check_password(
        session, given.username, given.password, address, now, "approval"
    )
    if found is None or found.role not in approvers:
        if found is not None:
            audit.record(session, found.id, "approval.refused", "user", found.id, now)
        return None
    audit.record(session, found.id, "approval.given", "user", found.id, now, by=user.id)
    return found.id
