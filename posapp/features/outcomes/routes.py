"""`/api/v1/outcomes`: the fate of an act whose answer a till never got."""

from __future__ import annotations

from flask import Response
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.auth.approvals import Approved, ApprovedRequest
from posapp.features.auth.approved_acts import execute_approved
from posapp.features.idempotency import service as idempotency
from posapp.features.idempotency.service import ActOutcome, IdempotencyHeader
from posapp.features.orders import states
from posapp.features.outcomes.schemas import OutcomePath
from posapp.http.access import require_roles
from posapp.http.openapi import Problem, api_blueprint
from posapp.http.responses import idempotent_response, model_response
from posapp.http.transactions import transaction

api = api_blueprint("outcomes", "Operations")


@api.get("/outcomes/<key:key>", summary="What became of an act", responses={200: ActOutcome})
@require_roles(*states.CREATE.roles)
def get_outcome(path: OutcomePath) -> Response:
    """By the `Idempotency-Key` that it was sent with; with the answer, where it was done."""
    with transaction() as session:
        return model_response(idempotency.outcome(session, path.key))


@api.post(
    "/outcomes/<key:key>/give-up",
    summary="Give up an act whose answer never came",
    responses={201: ActOutcome, 409: Problem, 429: Problem},
)
@require_roles(*states.CREATE.roles)
def give_up(header: IdempotencyHeader, path: OutcomePath, body: ApprovedRequest) -> Response:
    """Should it still arrive, it is refused from now on; what was done stays, and is the answer.
    Needs the approval of a manager: the caller's own role, or `approval`."""

    def act(session: Session, approved: Approved) -> ActOutcome:
        found = idempotency.give_up(session, path.key, approved.at)
        audit.record(
            session,
            approved.user_id,
            f"act.{'given_up' if found.state == 'given_up' else 'was_done'}",
            "act",
            0,
            approved.at,
            idempotency_key=path.key,
            reason=approved.reason,
            approved_by=approved.approver_id,
        )
        return found

    route = f"POST /outcomes/{path.key}/give-up"
    done = execute_approved(header.key, route, body, states.APPROVERS, act)
    return idempotent_response(done.body, done.replayed)
