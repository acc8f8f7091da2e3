"""`/health`: healthkit beside a bare callable, a check per request, and its peers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy.engine import URL

from benchmarks.measure import database, gunicorn, need, rounds, table

CONFIG = """
[service]
name = "Benchmark"
[store]
url = "sqlite:///{folder}/store.db"
[checks.database]
type = "database"
url = "${{DATABASE_URL}}"
interval = "10s"
timeout = "2s"
"""
THREADS = ("--worker-class", "gthread", "--threads", "16")
"""django-health-check 4 has an async view, which answers 500 under gevent."""

APPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "bare WSGI callable": ("bare", "/health", ()),
    "healthkit": ("healthkit()", "/health", ()),
    "Flask, check per request": ("flask_per_request()", "/health", ()),
    "py-healthcheck (27 s cache)": ("py_healthcheck()", "/health", ()),
    "flask-healthz": ("flask_healthz()", "/health/live", ()),
    "django-health-check (gthread)": ("django_health_check()", "/health?format=json", THREADS),
}


@contextmanager
def checked_database() -> Iterator[tuple[URL, dict[str, str]]]:
    """A database, and the environment of a server whose healthkit checks it."""
    with tempfile.TemporaryDirectory() as folder, database() as url:
        config = Path(folder) / "healthkit.toml"
        config.write_text(CONFIG.format(folder=folder))
        address = url.render_as_string(hide_password=False)
        yield url, {"DATABASE_URL": address, "HEALTHKIT_CONFIG": str(config)}


def main() -> None:
    need("wrk", "wrk")
    with ExitStack() as stack:
        _, environ = stack.enter_context(checked_database())
        addresses = {}
        for name, (app, path, options) in APPS.items():
            server = gunicorn(f"benchmarks.health_apps:{app}", environ, *options, path=path)
            addresses[name] = (stack.enter_context(server) + path,)
        rates = rounds(addresses)
    table("GET /health, gunicorn with one gevent worker, wrk -c16", rates, "bare WSGI callable")
    ratio = rates["healthkit"] / rates["Flask, check per request"]
    print(f"\nhealthkit is {ratio:.1f} times the check per request.")
