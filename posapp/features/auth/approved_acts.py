"""Acts that a manager has to approve: by their own role, or by their password typed in place.

The password is tried in a transaction of its own, so that a wrong one counts although the act is
refused; its limit is that of signing in. It never reaches the fingerprint of the act's key.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from flask import request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.auth import service
from posapp.features.auth.approvals import QUESTION, Approval, Approved, ApprovedRequest
from posapp.features.auth.limits import check_password
from posapp.features.auth.service import SignedInUser
from posapp.features.idempotency.service import Claim, StoredResponse, execute_once, find
from posapp.http.access import current_user
from posapp.http.body import sent_json
from posapp.http.errors import Forbidden, said
from posapp.http.request_time import request_time
from posapp.http.transactions import transaction

_REFUSED = "approval.refused"


def _approver(
    user: SignedInUser, approvers: Collection[str], given: Approval | None, now: datetime
) -> int:
    """Returns the id of who approves an act of `user`.

    Raises Forbidden where it is not approved, and TooManyRequests like a sign-in.
    """
    if given is None:
        if user.role in approvers:
            return user.id
        raise Forbidden(
            f"This needs the approval of: {', '.join(approvers)}.",
            {"question": QUESTION, **said("approval_needed")},
        )
    check = check_password(given.username, given.password, now)
    with transaction() as session:
        address = request.remote_addr or ""
        found = service.accept_password(session, check, address, now, "approval")
        approves = found is not None and found.role in approvers
        if found is not None:
            action, by = ("approval.given", {"by": user.id}) if approves else (_REFUSED, {})
            audit.record(session, found.id, action, "user", found.id, now, **by)
    if found is None or not approves:
        raise Forbidden(
            f"The password is wrong, or this is nobody of: {', '.join(approvers)}.",
            {"question": QUESTION, **said("approval_refused")},
        )
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
    approver = _approver(user, approvers, body.approval, now)
    approved = Approved(user.id, approver, body.reason, now)
    with transaction() as session:
        return execute_once(
            *(session, key, route, body, claim.sent, now), lambda: act(session, approved)
        )


def _without_password(sent: Any) -> Any:
    """The fingerprint of a password would be a fast hash of it, kept for weeks."""
    approval = sent.get("approval")
    return {**sent, "approval": approval and approval["username"]}
