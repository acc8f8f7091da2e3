"""The built front end, for the demo; in production nginx serves it.

Files of the build are served as they are, hashed ones for ever; any other page is the application's
own, so it gets `index.html`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, request, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from posapp.http.problems import http_problem

DIST = Path(__file__).parent.parent / "web" / "dist"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline';"
    " font-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
NOT_BUILT = "The front end has not been built yet: make web\n"
NON_PAGE_PREFIXES = ("/api/", "/health", "/metrics", "/status", "/assets/")
"""What is never a page of the application: a wrong address there is a 404."""


def install(app: Flask) -> None:
    """Serves the front end wherever no route of `app` answers."""

    @app.errorhandler(NotFound)
    def page(error: NotFound) -> Response:
        asked = request.method in ("GET", "HEAD") and request.url_rule is None
        return (_page(request.path) if asked else None) or http_problem(error)


def _page(path: str) -> Response | None:
    """The file or the page at a path, or None for what cannot be one."""
    known = safe_join(str(DIST), path.lstrip("/"))
    if known is not None and Path(known).is_file():
        response = send_from_directory(DIST, path.lstrip("/"))
        hashed = path.startswith("/assets/")
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if hashed else "no-cache"
        )
        return response
    if path.startswith(NON_PAGE_PREFIXES):
        return None
    if not (DIST / "index.html").is_file():
        return Response(NOT_BUILT, 503, content_type="text/plain; charset=utf-8")
    response = send_from_directory(DIST, "index.html")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
