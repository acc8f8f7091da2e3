"""Metrics of requests, the pool and the business, over all workers of a server.

Requests are counted by route: a raw path would let a stranger make metrics.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from typing import cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
    multiprocess,
)
from sqlalchemy import Engine, event

REQUESTS = Counter(
    "posapp_http_requests_total", "Requests answered.", ["method", "route", "status"]
)
DURATION = Histogram(
    "posapp_http_request_duration_seconds",
    "Time that we took to answer, without the client's.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
)
CLIENT_SECONDS = Counter(
    "posapp_http_client_seconds_total",
    "Time that slow clients took to send their bodies and to take their answers.",
    ["route"],
)
ORDERS = Counter("posapp_orders_total", "Orders taken.", ["type"])
REVENUE = Counter("posapp_revenue_rupiah_total", "Rupiah paid to bills.", ["method"])
REVERSED = Counter(
    "posapp_reversed_rupiah_total", "Rupiah of payments that were undone.", ["method"]
)
PRUNED = Counter("posapp_pruned_total", "Removed after its time: rows, or bytes of logs.", ["what"])
PRUNE_FAILURES = Counter("posapp_prune_failures_total", "Runs of pruning that failed.")
PRUNED_AT = Gauge(
    "posapp_pruned_timestamp_seconds", "The last run that ended well.", multiprocess_mode="max"
)
POOL_OPEN = Gauge(
    "posapp_pool_open_connections", "Connections to the database.", multiprocess_mode="livesum"
)
POOL_IN_USE = Gauge(
    "posapp_pool_connections_in_use", "Connections at work.", multiprocess_mode="livesum"
)
POOL_LIMIT = Gauge(
    "posapp_pool_limit_connections",
    "Connections that the pools may open.",
    multiprocess_mode="livesum",
)
LOG_LOST = Counter("posapp_log_lines_lost_total", "Log lines that could not be written.")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def record_request(method: str, route: str, status: str, seconds: float) -> None:
    """Counts one request."""
    requests, duration = _series(method if method in _METHODS else "OTHER", route, status)
    requests.inc()
    duration.observe(seconds)


@cache
def _series(method: str, route: str, status: str) -> tuple[Counter, Histogram]:
    """As many as there are routes, so they are kept: to look them up takes a lock each time."""
    return REQUESTS.labels(method, route, status), DURATION.labels(method, route)


def watch_pool(engine: Engine, limit: int) -> None:
    """Keeps the pool's gauges as its connections come and go; `limit` is the most that it opens."""
    POOL_LIMIT.set(limit)
    event.listen(engine, "connect", lambda *_: POOL_OPEN.inc())
    event.listen(engine, "close", lambda *_: POOL_OPEN.dec())
    event.listen(engine, "checkout", lambda *_: POOL_IN_USE.inc())
    event.listen(engine, "checkin", lambda *_: POOL_IN_USE.dec())


def render_metrics() -> bytes:
    """All metrics of all workers of this server, in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    _BegunFiles(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


class _BegunFiles(multiprocess.MultiProcessCollector):
    """The files of all workers but of those that have just made theirs: until its first byte is
    written such a file is empty, and the library's own reading of it fails."""

    def collect(self) -> Iterable[Metric]:
        files = (entry for entry in os.scandir(self._path) if entry.name.endswith(".db"))
        begun = [entry.path for entry in files if _size(entry) > 0]
        return cast("Iterable[Metric]", self.merge(begun))  # type: ignore[no-untyped-call]


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:  # a worker has ended, and its gauges with it
        return 0
