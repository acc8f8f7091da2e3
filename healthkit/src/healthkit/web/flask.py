"""The mount for Flask."""

from __future__ import annotations

from collections.abc import Mapping

from healthkit._health import Health
from healthkit.web.access import SeesDetails
from healthkit.web.wsgi import HealthMiddleware

try:
    from flask import Flask
except ModuleNotFoundError as error:
    raise ImportError(
        "healthkit.web.flask needs Flask: pip install 'healthkit-core[flask]'"
    ) from error

EXTENSION = "healthkit"


def mount(
    app: Flask,
    health: Health,
    paths: Mapping[str, str] | None = None,
    sees_details: SeesDetails | None = None,
) -> None:
    """Serves the health paths in front of `app`; `app.extensions["healthkit"]` is `health`.

    `sees_details` says who is answered with details (default: everybody).

    The checks start with the first request of each process, or earlier by `health.start()`.
    Raises RuntimeError when a Health is mounted already.
    """
    if EXTENSION in app.extensions:
        raise RuntimeError("a Health is mounted on this application already; mount only one")
    app.extensions[EXTENSION] = health
    app.wsgi_app = HealthMiddleware(  # type: ignore[method-assign]
        app.wsgi_app, health, paths, sees_details
    )
