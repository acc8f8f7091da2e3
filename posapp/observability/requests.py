"""Each request: its id, and what it counts for in the metrics."""

from __future__ import annotations

import os
import re
import time

from flask import Flask, Response, g, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

from posapp.observability.context import request_id

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{1,128}")
_UNMATCHED = "unmatched"
"""What has no route is counted together: a raw path would let strangers make metrics."""

REQUESTS = Counter(
    "posapp_http_requests_total", "Requests answered.", ["method", "route", "status"]
)
DURATION = Histogram(
    "posapp_http_request_duration_seconds",
    "Time to answer.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def install(app: Flask) -> None:
    """Gives every request an id, which stands on its answer whatever happens."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get(HEADER, "")
        g.request_id = given if _SANE.fullmatch(given) else os.urandom(16).hex()
        g.began = time.perf_counter()
        request_id.set(g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers[HEADER] = g.get("request_id", "")
        route = request.url_rule.rule if request.url_rule else _UNMATCHED
        method = request.method if request.method in _METHODS else "OTHER"
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        if "began" in g:
            DURATION.labels(method, route).observe(time.perf_counter() - g.began)
        return response


def exposition() -> bytes:
    """All metrics of all workers of this server, in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
