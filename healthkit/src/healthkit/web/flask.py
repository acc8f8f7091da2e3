"""The mount for Flask."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from healthkit._health import Health
from healthkit.web.wsgi import HealthMiddleware

EXTENSION = "healthkit"


def mount(app: Flask, health: Health, paths: Mapping[str, str] | None = None) -> None:
    """Answers the health paths in front of `app`; `app.extensions["healthkit"]` is `health`.

    The checks start with the first request of each process, or earlier by `health.start()`.
    Raises RuntimeError when a Health is mounted already.
    """
    if EXTENSION in app.extensions:
        raise RuntimeError("a Health is mounted on this application already; mount only one")
    app.extensions[EXTENSION] = health
    app.wsgi_app = HealthMiddleware(app.wsgi_app, health, paths)  # type: ignore[method-assign]
