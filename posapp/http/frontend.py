"""The built front end, for the demo; in production nginx serves it.

Files of the build are served as they are, hashed ones for ever; any other page is the application's
own, so it gets `index.html`.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, request, send_from_directory
from pydantic import SecretStr
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.security import safe_join

from posapp.http.problems import http_problem
from posapp.observability.request_log import ROUTE_KEY
from posapp.settings import Settings

DIST = Path(__file__).parent.parent / "web" / "dist"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
INDEX = "index.html"
NOT_BUILT = "The front end has not been built yet: make web\n"
NON_PAGE_PREFIXES = ("/api/", "/health", "/metrics", "/status", "/assets/")
"""What is never a page of the application: a wrong address there is a 404."""


def policy(dsn: SecretStr | None) -> str:
    """The content security policy of pages; with a DSN they may report their faults there."""
    if dsn is None:
        return CONTENT_SECURITY_POLICY
    parts = urlsplit(dsn.get_secret_value())
    host = parts.netloc.rpartition("@")[2]
    return f"{CONTENT_SECURITY_POLICY}; connect-src 'self' {parts.scheme}://{host}"


def install(app: Flask, settings: Settings) -> None:
    """Serves the front end wherever no route of `app` answers."""
    dsn = settings.vite_sentry_dsn
    pages = _Pages(policy(dsn), dsn.get_secret_value() if dsn else None)

    @app.errorhandler(NotFound)
    def page(error: NotFound) -> Response:
        asked = request.method in ("GET", "HEAD") and request.url_rule is None
        try:
            return (pages.page(request.path) if asked else None) or http_problem(error)
        except HTTPException as refused:  # a range that the file does not have; nobody else sees it
            return http_problem(refused)


def _is_file(name: str) -> bool:
    """Whether the build has a file of this name; what cannot be a name of a file is none."""
    known = safe_join(str(DIST), name)
    try:
        return known is not None and Path(known).is_file()
    except (OSError, ValueError):  # too long for the file system, or with a NUL
        return False


@dataclass(frozen=True, slots=True)
class _Pages:
    policy: str
    dsn: str | None
    """Where the pages report their faults; no secret, for every browser reads it."""

    def page(self, path: str) -> Response | None:
        """The file or the page at a path, or None for what cannot be one."""
        name = path.lstrip("/")
        if name != INDEX and _is_file(name):
            hashed = path.startswith("/assets/")
            request.environ[ROUTE_KEY] = "/assets/<file>" if hashed else "/<file>"
            response = send_from_directory(DIST, name)
            response.headers["Cache-Control"] = (
                "public, max-age=31536000, immutable" if hashed else "no-cache"
            )
            # Of a worker's script it is the policy of the worker.
            response.headers["Content-Security-Policy"] = self.policy
            return response
        if path.startswith(NON_PAGE_PREFIXES):
            return None
        request.environ[ROUTE_KEY] = "/<page>"
        if not (DIST / INDEX).is_file():
            return Response(NOT_BUILT, 503, content_type="text/plain; charset=utf-8")
        response = self._index()
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Content-Security-Policy"] = self.policy
        return response

    def _index(self) -> Response:
        if self.dsn is None:
            return send_from_directory(DIST, INDEX)
        meta = f'<meta name="sentry-dsn" content="{escape(self.dsn)}">'
        text = (DIST / INDEX).read_text().replace("</head>", f"{meta}</head>", 1)
        return Response(text, content_type="text/html; charset=utf-8")
