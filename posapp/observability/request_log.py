"""Around every request: its id, which stands on its answer whatever happens, its log line and its
metrics. `/health` and its like are answered further out, and leave no line each few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from loguru import logger

from healthkit.web.wsgi import request_id as sane_or_new
from posapp.observability import logs, tracing
from posapp.observability.context import request_id, user_id
from posapp.observability.metrics import record_request

HEADER = "X-Request-ID"
EXCEPTION_KEY = "posapp.failure"
"""Where in the environ the exception stands that made an answer 5xx."""

ROUTE_KEY = "posapp.route"
"""Where in the environ the route stands of what was answered before Flask."""

_UNMATCHED = "unmatched"
_LONGEST_AGENT = 300

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


class RequestLogMiddleware:
    """The WSGI middleware nearest to the application."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        request = _Request(environ)
        if logs.debugging():
            logger.debug("Request started")

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            # Here both are still at hand: Flask forgets its request before the answer ends.
            request.route, request.trace = _route(environ), tracing.trace_id()
            request.status = status[:3]
            headers.append((HEADER, request.id))
            return start_response(status, headers, error)

        return _ResponseBody(self._app(environ, start), request)


class _Request:
    """One request from its first to its last byte."""

    __slots__ = ("began", "environ", "id", "route", "status", "trace")

    def __init__(self, environ: Environ) -> None:
        self.began = time.perf_counter()
        self.environ = environ
        self.id = sane_or_new(environ)
        self.status = "500"
        self.route = _UNMATCHED
        self.trace: str | None = None
        request_id.set(self.id)
        user_id.set(None)

    def end(self) -> None:
        """Logs and counts it."""
        environ, took = self.environ, time.perf_counter() - self.began
        method, code = environ["REQUEST_METHOD"], int(self.status)
        record_request(method, self.route, self.status, took)
        path = _path(environ)
        fields = {
            "request_id": self.id,
            "method": method,
            "path": path,
            "status_code": code,
            "latency": f"{took * 1000:.1f}ms",
            "latency_ms": round(took * 1000, 1),
            "client_ip": environ.get("REMOTE_ADDR", ""),
            "user_agent": environ.get("HTTP_USER_AGENT", "")[:_LONGEST_AGENT],
        }
        if (user := user_id.get()) is not None:
            fields["user_id"] = user
        if self.trace is not None:
            fields["trace_id"] = self.trace
        level = "ERROR" if code >= 500 else "WARNING" if code >= 400 else "INFO"
        bound = logger.bind(**fields)
        if (failure := environ.get(EXCEPTION_KEY)) is not None:
            bound = bound.opt(exception=failure)
        bound.log(level, f"{method} {path} {code}")


class _ResponseBody:
    """The body of an answer; its end is the end of the request."""

    __slots__ = ("_body", "_request")

    def __init__(self, body: Iterable[bytes], request: _Request) -> None:
        self._body = body
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._request.end()


def _route(environ: Environ) -> str:
    """The template of the route that has answered."""
    if ROUTE_KEY in environ:
        return str(environ[ROUTE_KEY])
    rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
    return str(rule.rule) if rule is not None else _UNMATCHED


def _path(environ: Environ) -> str:
    """The path as the client wrote it, with its query."""
    path = str(environ.get("PATH_INFO", ""))
    if not path.isascii():
        path = path.encode("latin-1", "replace").decode("utf-8", "replace")
    query = environ.get("QUERY_STRING")
    return f"{path}?{query}" if query else path
