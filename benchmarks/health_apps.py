"""The applications whose `/health` is compared, each as a WSGI callable made on first use.

All of them check the same PostgreSQL with `SELECT 1`.
"""

from __future__ import annotations

import os
from typing import Any

BODY = (
    b'{"status": "healthy", "timestamp": "2025-12-26T10:30:00Z", "version": "1.0.0",'
    b' "environment": "production", "checks": {"database": {"status": "healthy",'
    b' "response_time": "5ms", "connection_pool": {"open": 5, "in_use": 2, "idle": 3}},'
    b' "api": {"status": "healthy", "uptime": "72h15m30s"}}}'
)
_HEADERS = [
    ("Content-Type", "application/json"),
    ("Content-Length", str(len(BODY))),
    ("Cache-Control", "no-store"),
    ("X-Request-ID", "550e8400e29b41d4a716446655440000"),
]


def bare(environ: Any, start_response: Any) -> list[bytes]:
    """The limit: a callable that hands out bytes."""
    start_response("200 OK", list(_HEADERS))
    return [BODY]


def _engine() -> Any:
    from sqlalchemy import create_engine

    return create_engine(os.environ["DATABASE_URL"], pool_size=10, max_overflow=15)


def healthkit() -> Any:
    from flask import Flask

    from healthkit import Health
    from healthkit.web.flask import mount

    app = Flask(__name__)
    mount(app, Health.from_file(os.environ["HEALTHKIT_CONFIG"]))
    return app


def flask_per_request() -> Any:
    from flask import Flask, jsonify
    from sqlalchemy import text

    app, engine = Flask(__name__), _engine()

    @app.get("/health")
    def health() -> Any:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        return jsonify(status="healthy", checks={"database": {"status": "healthy"}})

    return app


def py_healthcheck() -> Any:
    from flask import Flask
    from healthcheck import HealthCheck
    from sqlalchemy import text

    app, engine = Flask(__name__), _engine()

    def database() -> tuple[bool, str]:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        return True, "ok"

    app.add_url_rule("/health", "health", view_func=HealthCheck(checkers=[database]).run)
    return app


def flask_healthz() -> Any:
    from flask import Flask
    from flask_healthz import Healthz
    from sqlalchemy import text

    app, engine = Flask(__name__), _engine()

    def live() -> None:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    app.config["HEALTHZ"] = {"live": live, "ready": live}
    Healthz(app, prefix="/health")
    return app


def django_health_check() -> Any:
    import django
    from django.conf import settings
    from sqlalchemy.engine import make_url

    url = make_url(os.environ["DATABASE_URL"])
    settings.configure(
        SECRET_KEY="benchmark",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="benchmarks.django_urls",
        INSTALLED_APPS=["health_check"],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": url.database,
                "USER": url.username,
                "HOST": url.query["host"],
                "PORT": url.query.get("port", ""),
                "CONN_MAX_AGE": None,
            }
        },
    )
    django.setup()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()
