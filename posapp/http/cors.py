"""CORS, for the origins that the settings name alone: on every answer, and for every preflight."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from posapp.http.problems import plain_problem, unexpected
from posapp.observability.request_log import (
    ROUTE_KEY,
    Application,
    Environ,
    RequestLogMiddleware,
)

_ANSWERS = [
    ("Access-Control-Expose-Headers", "ETag, Idempotency-Replayed, Retry-After, X-Request-ID")
]
_PREFLIGHT = [
    ("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE"),
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-ID",
    ),
    ("Access-Control-Max-Age", "600"),
]


class CorsMiddleware:
    """WSGI middleware around whatever answers. `*` in `allowed` is every origin.

    A preflight comes without a token and asks nothing of a route, so it is answered here.
    """

    def __init__(self, app: Application, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)
        self._preflight = RequestLogMiddleware(self._answer_preflight, unexpected)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if not self._allowed:
            return self._respond(environ, start_response)
        origin = self._permitted(environ)

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            headers = [*headers, ("Vary", "Origin")]
            if origin:
                headers += [("Access-Control-Allow-Origin", origin), *_ANSWERS]
            return start_response(status, headers, error)

        return self._respond(environ, start)

    def _respond(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        preflight = "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ and "HTTP_ORIGIN" in environ
        if preflight and environ["REQUEST_METHOD"] == "OPTIONS":
            environ[ROUTE_KEY] = "preflight"
            return self._preflight(environ, start_response)
        return self._app(environ, start_response)

    def _permitted(self, environ: Environ) -> str:
        """The origin of the request where it is an allowed one."""
        origin = str(environ.get("HTTP_ORIGIN", ""))
        return origin if "*" in self._allowed or origin in self._allowed else ""

    def _answer_preflight(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if self._permitted(environ):
            start_response("204 No Content", list(_PREFLIGHT))
            return []
        status, headers, body = plain_problem(403, "This origin is not allowed.")
        start_response(status, headers)
        return [body]
