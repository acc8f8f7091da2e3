"""Acts that a manager has to approve: by their own role, or by their password typed in place.

The password is tried in a transaction of its own, so that a wrong one counts although the act is
refused; its limit is that of signing in. It never reaches the fingerprint of the act's key.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from flask import request
from pydantic import BaseModel, StringConstraints
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.auth import service
from posapp.features.auth.models import User
from posapp.features.auth.schemas import Password, Username
from posapp.features.idempotency.service import (
    Claim,
    Resendable,
    StoredResponse,
    execute_once,
    find,
)
from posapp.http.access import current_user
from posapp.http.body import sent_json
from posapp.http.errors import Forbidden
from posapp.http.request_time import request_time
from posapp.http.schemas import ApiModel, Text
from posapp.http.transactions import transaction

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


def execute_approved(
    key: str,
    route: str,
    body: ApprovedRequest,
    approvers: Collection[str],
    act: Callable[[Session, Approved], BaseModel],
) -> StoredResponse:
    """Returns the response of `act` for the request under way, once for its key.

    A resend is answered without asking for the approval again. Raises Forbidden and
    TooManyRequests where it is not approved, and what `execute_once` and `act` raise.
    """
    now, user = request_time(), current_user()
    claim = Claim(key, route, body, _without_password(sent_json()))
    with transaction() as session:
        known = find(session, claim)
    if known is not None:
        return known
    with transaction() as session:
        approver = approver_of(
            session, user, approvers, body.approval, request.remote_addr or "", now
        )
    if approver is None:
        raise Forbidden(
            f"The password is wrong, or this is nobody of: {', '.join(approvers)}.",
            {"question": QUESTION},
        )
    approved = Approved(user.id, approver, body.reason, now)
    with transaction() as session:
        return execute_once(
            *(session, key, route, body, claim.sent, now), lambda: act(session, approved)
        )


def _without_password(sent: Any) -> Any:
    """The fingerprint of a password would be a fast hash of it, kept for weeks."""
    approval = sent.get("approval")
    return {**sent, "approval": approval and approval["username"]}
