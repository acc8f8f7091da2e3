"""`/api/v1/clock`."""

from __future__ import annotations

from flask import Response

from posapp.features.auth.approvals import ApprovedRequest
from posapp.features.auth.approved_acts import execute_approved
from posapp.features.clock import service
from posapp.features.clock.schemas import ClockView
from posapp.features.idempotency.service import IdempotencyHeader
from posapp.features.orders import states
from posapp.http.access import require_roles
from posapp.http.openapi import Problem, api_blueprint
from posapp.http.request_time import request_time
from posapp.http.responses import idempotent_response, model_response
from posapp.http.roles import STAFF_ROLES
from posapp.http.transactions import transaction

api = api_blueprint("clock", "Operations")


@api.get("/clock", summary="Whether the clock can be right", responses={200: ClockView})
@require_roles(*STAFF_ROLES)
def get_clock() -> Response:
    with transaction() as session:
        return model_response(ClockView.of(service.read(session, request_time())))


@api.post(
    "/clock/confirmations",
    summary="Sell although the clock looks wrong",
    responses={201: ClockView, 409: Problem, 429: Problem},
)
@require_roles(*states.CREATE.roles)
def confirm_clock(header: IdempotencyHeader, body: ApprovedRequest) -> Response:
    """Needs the approval of a manager: the caller's own role, or `approval`. Holds until the clock
    goes back again."""
    done = execute_approved(
        header.key,
        "POST /clock/confirmations",
        body,
        states.APPROVERS,
        lambda session, approved: ClockView.of(service.confirm(session, approved)),
    )
    return idempotent_response(done.body, done.replayed)
