"""Acts that a manager has to approve, once for their key.

The password is tried in a transaction of its own, so that a wrong one counts although the act is
refused. It never reaches the fingerprint of the act's key.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from flask import request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from posapp.features.auth.approvals import QUESTION, Approved, ApprovedRequest, approver_of
from posapp.features.idempotency.service import Claim, StoredResponse, execute_once, find
from posapp.http.access import current_user
from posapp.http.body import sent_json
from posapp.http.errors import Forbidden
from posapp.http.request_time import request_time
from posapp.http.transactions import transaction


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
