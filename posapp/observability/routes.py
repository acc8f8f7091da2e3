"""`/metrics`: what healthkit found, and how requests went."""

from __future__ import annotations

from flask import Blueprint, Response, current_app

from healthkit import Health
from healthkit.reports import PROMETHEUS
from posapp.observability.metrics import exposition

pages = Blueprint("observability", __name__)


@pages.get("/metrics")
def metrics() -> Response:
    health: Health = current_app.extensions["healthkit"]
    body = health.page("prometheus").body + exposition()
    return Response(body, content_type=PROMETHEUS, headers={"Cache-Control": "no-store"})
