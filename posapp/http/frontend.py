"""The built front end, for the demo; in production nginx serves it.

Files of the build are served as they are, hashed ones for ever; any other page is the application's
own, so it gets `index.html`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, request, send_from_directory
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.security import safe_join

from posapp.http.problems import http_problem
from posapp.observability.request_log import ROUTE_KEY

DIST = Path(__file__).parent.parent / "web" / "dist"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
NOT_BUILT = "The front end has not been built yet: make web\n"
NON_PAGE_PREFIXES = ("/api/", "/health", "/metrics", "/status", "/assets/")
"""What is never a page of the application: a wrong address there is a 404."""


def install(app: Flask) -> None:
    """Serves the front end wherever no route of `app` answers."""

    @app.errorhandler(NotFound)
    def page(error: NotFound) -> Response:
        asked = request.method in ("GET", "HEAD") and request.url_rule is None
        try:
            return (_page(request.path) if asked else None) or http_problem(error)
        except HTTPException as refused:  # a range that the file does not have; nobody else sees it
            return http_problem(refused)


def _is_file(name: str) -> bool:
    """Whether the build has a file of this name; what cannot be a name of a file is none."""
    known = safe_join(str(DIST), name)
    try:
        return known is not None and Path(known).is_file()
    except (OSError, ValueError):  # too long for the file system, or with a NUL
        return False


def _page(path: str) -> Response | None:
    """The file or the page at a path, or None for what cannot be one."""
    if _is_file(path.lstrip("/")):
        request.environ[ROUTE_KEY] = "/assets/<file>" if path.startswith("/assets/") else "/<file>"
        response = send_from_directory(DIST, path.lstrip("/"))
        hashed = path.startswith("/assets/")
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if hashed else "no-cache"
        )
        # Of a worker's script it is the policy of the worker.
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response
    if path.startswith(NON_PAGE_PREFIXES):
        return None
    request.environ[ROUTE_KEY] = "/<page>"
    if not (DIST / "index.html").is_file():
        return Response(NOT_BUILT, 503, content_type="text/plain; charset=utf-8")
    response = send_from_directory(DIST, "index.html")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
