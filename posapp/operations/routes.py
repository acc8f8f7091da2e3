"""`/metrics`, and an error on purpose that proves error tracking."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, current_app, request

from healthkit import Health
from posapp.http import rate_limits
from posapp.http.access import public, require_roles
from posapp.http.errors import TooManyRequests, Unauthorized
from posapp.http.openapi import Problem, api_blueprint
from posapp.http.rate_limits import RateLimit
from posapp.http.request_time import request_time
from posapp.http.responses import model_response
from posapp.http.transactions import transaction
from posapp.observability.metrics import render_metrics
from posapp.operations import audit
from posapp.operations.audit import AuditPage, AuditQuery

pages = Blueprint("observability", __name__)
api = api_blueprint("errors", "Operations")

SEES_DETAILS = "posapp.sees_details"
"""The extension that says of a request whether it may read metrics and details of health."""

ERROR_TESTS = RateLimit(burst=5, interval=timedelta(seconds=12))


class ErrorTest(Exception):
    """Raised on purpose."""


@pages.get("/metrics")
def metrics() -> Response:
    if not current_app.extensions[SEES_DETAILS](request.environ):
        raise Unauthorized("Metrics are for this machine, and for who sends HEALTH_TOKEN.")
    health: Health = current_app.extensions["healthkit"]
    checks = health.response("prometheus")
    body = checks.body + render_metrics()
    return Response(body, content_type=checks.content_type, headers={"Cache-Control": "no-store"})


@api.get("/error-test", summary="Fail on purpose", responses={500: Problem, 429: Problem})
@public
def trigger_test_error() -> Response:
    """Raises, so that error tracking can be proven. Five times a minute from one address."""
    key, now = f"error-test:{request.remote_addr}", request_time()
    with transaction() as session:
        seconds = rate_limits.take(session, key, ERROR_TESTS, now)
    if seconds:
        raise TooManyRequests("Enough errors for this minute.", seconds)
    raise ErrorTest("this error was asked for: GET /api/v1/error-test")


@api.get("/admin/audit", summary="Who did what", responses={200: AuditPage, 404: Problem})
@require_roles("admin")
def list_audit_entries(query: AuditQuery) -> Response:
    """The newest entries first, 100 a page; `next` is the cursor of the next one."""
    with transaction() as session:
        return model_response(audit.read(session, query))
