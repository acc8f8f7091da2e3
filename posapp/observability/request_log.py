"""Around every request: its id, which stands on its answer whatever happens, its log line and its
metrics. `/health` and its like are answered further out, and leave no line each few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from loguru import logger

from healthkit.web.wsgi import request_id as sane_or_new
from posapp.observability import logs, tracing
from posapp.observability.context import request_id, user_id
from posapp.observability.metrics import CLIENT_SECONDS, record_request

HEADER = "X-Request-ID"
EXCEPTION_KEY = "posapp.failure"
"""Where in the environ the exception stands that made an answer 5xx."""

ROUTE_KEY = "posapp.route"
"""Where in the environ the route stands of what was answered before Flask."""

BODY_SECONDS_KEY = "posapp.body_seconds"
"""Where in the environ the seconds stand that the client took to send its body."""

_UNMATCHED = "unmatched"
_LONGEST_AGENT = 300
_SLOW_CLIENT = 0.1
"""Seconds of waiting for a client that a line tells."""

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
LastResort = tuple[str, list[tuple[str, str]], bytes]


class RequestLogMiddleware:
    """The WSGI middleware nearest to the application."""

    def __init__(
        self,
        app: Application,
        last_resort: Callable[[], LastResort],
        seconds: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`last_resort` answers for an application that raised: status, headers, body."""
        self._app = app
        self._last_resort = last_resort
        self._seconds = seconds

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        request = _Request(environ, self._seconds)
        if logs.debugging():
            logger.debug("Request started")

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            # Here both are still at hand: Flask forgets its request before the answer ends.
            request.route, request.trace = _route(environ), tracing.trace_id()
            request.status = status[:3]
            request.worked = self._seconds()
            headers.append((HEADER, request.line.id))
            return start_response(status, headers, error)

        try:
            body = self._app(environ, start)
        except Exception as error:  # noqa: BLE001  what Flask itself stumbled over
            environ[EXCEPTION_KEY] = error
            status, headers, content = self._last_resort()
            start(status, headers, sys.exc_info())
            body = [content]
        return _ResponseBody(body, request)


@dataclass(slots=True)
class RequestLine:
    """The log line of a request, whoever answered it."""

    id: str
    method: str
    path: str
    address: str
    agent: str
    route: str = _UNMATCHED

    def write(
        self, status: int, seconds: float, failure: BaseException | None = None, **more: Any
    ) -> None:
        """Logs and counts it; `seconds` is the time that we took."""
        record_request(self.method, self.route, str(status), seconds)
        fields = {
            "request_id": self.id,
            "method": self.method,
            "path": self.path,
            "status_code": status,
            "latency": f"{seconds * 1000:.1f}ms",
            "latency_ms": round(seconds * 1000, 1),
            "client_ip": self.address,
            "user_agent": self.agent[:_LONGEST_AGENT],
            **more,
        }
        level = "ERROR" if status >= 500 else "WARN" if status >= 400 else "INFO"
        logs.write(level, f"{self.method} {self.path} {status}", fields, failure)


class _Request:
    """One request from its first to its last byte."""

    __slots__ = ("began", "environ", "line", "route", "seconds", "status", "trace", "worked")

    def __init__(self, environ: Environ, seconds: Callable[[], float]) -> None:
        self.seconds = seconds
        self.began = self.worked = seconds()
        self.environ = environ
        self.status = "500"
        self.route = _UNMATCHED
        self.trace: str | None = None
        self.line = RequestLine(
            id=sane_or_new(environ),
            method=environ["REQUEST_METHOD"],
            path=_path(environ),
            address=environ.get("REMOTE_ADDR", ""),
            agent=environ.get("HTTP_USER_AGENT", ""),
        )
        request_id.set(self.line.id)
        user_id.set(None)

    def end(self) -> None:
        """Logs and counts it: our own time, and the client's apart."""
        sent = self.seconds() - self.worked
        received = self.environ.get(BODY_SECONDS_KEY, 0.0)
        more: dict[str, Any] = {}
        if (user := user_id.get()) is not None:
            more["user_id"] = user
        if self.trace is not None:
            more["trace_id"] = self.trace
        if received + sent >= _SLOW_CLIENT:
            more["client_ms"] = round((received + sent) * 1000, 1)
            CLIENT_SECONDS.labels(self.route).inc(received + sent)
        self.line.route = self.route
        took = max(self.worked - self.began - received, 0.0)
        self.line.write(int(self.status), took, self.environ.get(EXCEPTION_KEY), **more)


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
