"""`/api/v1/reports`."""

from __future__ import annotations

from flask import Response

from posapp.features.reports import service
from posapp.features.reports.schemas import DayQuery, DayReport
from posapp.http.access import require_roles
from posapp.http.openapi import api_blueprint
from posapp.http.request_time import request_time
from posapp.http.responses import model_response
from posapp.http.transactions import transaction

api = api_blueprint("reports", "Reports")


@api.get("/reports/day", summary="The sums of a business date", responses={200: DayReport})
@require_roles("admin", "manager")
def get_day_report(query: DayQuery) -> Response:
    """By method, tax, service charge, rounding and voids; receipts with first and last number."""
    with transaction() as session:
        return model_response(service.day_report(session, query.date, request_time()))
