"""`/health`: healthkit beside a bare callable, a check per request, and its peers."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

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


def main() -> None:
    need("wrk", "wrk")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(database())
        config = Path(folder) / "healthkit.toml"
        config.write_text(CONFIG.format(folder=folder))
        environ = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "HEALTHKIT_CONFIG": str(config),
        }
        addresses = {}
        for name, (app, path, options) in APPS.items():
            server = gunicorn(f"benchmarks.health_apps:{app}", environ, *options, path=path)
            addresses[name] = (stack.enter_context(server) + path,)
        rates = rounds(addresses)
    table("GET /health, gunicorn with one gevent worker, wrk -c16", rates, "bare WSGI callable")
    ratio = rates["healthkit"] / rates["Flask, check per request"]
    print(f"\nhealthkit is {ratio:.1f} times the check per request.")
