"""The mount for WSGI: responds before the application is called.

    application = HealthMiddleware(application, health)

A response costs a dictionary look-up and the bytes that the runner made; it takes no lock, runs no
check, and so works while the database hangs.
"""

from __future__ import annotations

import hmac
import random
import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from healthkit import _rendering
from healthkit._health import Health
from healthkit._rendering import RenderedResponse
from healthkit.errors import StoreError
from healthkit.web.access import SeesDetails

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

PATHS: Mapping[str, str] = {
    "/health": "json",
    "/livez": "live",
    "/readyz": "ready",
    "/startupz": "startup",
    "/metrics": "prometheus",
}
"""The renderer of each path."""

BEAT = "/health/beat/"
BEAT_METHODS = ("GET", "HEAD", "POST")
FIRST_RESULTS = 1.0
"""Seconds that the first request in a process waits for the first results."""

_FORMATS = {"health+json": "health+json", "prometheus": "prometheus", "text": "plain"}
_ACCEPTED = {_rendering.HEALTH_JSON: "health+json", "text/plain": "plain"}
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class HealthMiddleware:
    """`paths` maps a path to a renderer of `health` (default: `PATHS`).

    `sees_details` says of a request whether it is answered with hosts, paths and texts of errors,
    and whether it may read metrics (default: everybody); `healthkit.web.access` has one.
    Raises KeyError for a renderer that `health` does not have.
    """

    def __init__(
        self,
        app: Application,
        health: Health,
        paths: Mapping[str, str] | None = None,
        sees_details: SeesDetails | None = None,
    ) -> None:
        self._app = app
        self._health = health
        self._sees_details = sees_details
        self._paths = dict(PATHS if paths is None else paths)
        for renderer in self._paths.values():
            health.response(renderer)  # a wrong name is found at the start
        self._status_paths: Mapping[str, str] = {}
        if health.settings.status.access != "off":
            from healthkit._status.publisher import PATHS as STATUS_PATHS

            self._status_paths = STATUS_PATHS

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        health = self._health
        if health.needs_start:
            health.start(wait=FIRST_RESULTS)
        path = environ.get("PATH_INFO", "")
        renderer = self._paths.get(path)
        if renderer is None:
            if path in self._status_paths:
                return self._show_status(path, environ, start_response)
            if path.startswith(BEAT):
                return self._beat(path[len(BEAT) :], environ, start_response)
            return self._app(environ, start_response)
        if renderer == "json" and (environ.get("QUERY_STRING") or "HTTP_ACCEPT" in environ):
            renderer = _negotiate(environ)
        details = self._sees_details is None or self._sees_details(environ)
        if renderer == "prometheus" and not details:
            return _refuse(401, _METRICS, environ, start_response, ("WWW-Authenticate", "Bearer"))
        method = environ["REQUEST_METHOD"]
        if method == "GET":
            return _send(health.response(renderer, details=details), environ, start_response)
        if method == "HEAD":
            _send(health.response(renderer, details=details), environ, start_response)
            return []
        return _refuse(405, _READ_ONLY, environ, start_response, ("Allow", "GET, HEAD"))

    def _show_status(
        self, path: str, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        page = self._health.status_page()
        assert page is not None
        public = self._health.settings.status.access == "public"
        if not public and self._sees_details is not None and not self._sees_details(environ):
            return _refuse(401, _STATUS, environ, start_response, ("WWW-Authenticate", "Bearer"))
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            return _refuse(405, _READ_ONLY, environ, start_response, ("Allow", "GET, HEAD"))
        rendered = page.response(self._status_paths[path], _language(environ))
        body = _send(rendered, environ, start_response)
        return body if method == "GET" else []

    def _beat(self, token: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """GET, HEAD and POST all beat, as with a job's other services."""
        method = environ["REQUEST_METHOD"]
        if method not in BEAT_METHODS:
            return _refuse(405, _BEATS_ONLY, environ, start_response, ("Allow", _BEATS_ALLOW))
        given = token.encode("utf-8", "replace")
        for name, known in self._health.heartbeat_names().items():
            if known and hmac.compare_digest(given, known.encode()):
                try:
                    self._health.beat(name)
                except (StoreError, OSError, _database_error()):
                    return _refuse(503, _NOT_STORED, environ, start_response)
                sent = _send(_BEAT_RECORDED, environ, start_response)
                return [] if method == "HEAD" else sent
        return _refuse(404, _NO_SUCH_BEAT, environ, start_response)


def _database_error() -> type[Exception]:
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError


def _language(environ: Environ) -> Any:
    """Returns the language that `?lang=` or `Accept-Language` asks for first; None for another."""
    for part in environ.get("QUERY_STRING", "").split("&"):
        if part in ("lang=en", "lang=id"):
            return part[-2:]
    first = environ.get("HTTP_ACCEPT_LANGUAGE", "").split(",", 1)[0].strip().lower()
    return first[:2] if first[:2] in ("en", "id") and not first[2:3].isalpha() else None


def _negotiate(environ: Environ) -> str:
    """Returns the renderer that `?format=` or `Accept` asks for; `json` otherwise."""
    for part in environ.get("QUERY_STRING", "").split("&"):
        if part.startswith("format="):
            wanted = part[len("format=") :].replace("%2B", "+").replace("%2b", "+")
            return _FORMATS.get(wanted, "json")
    for part in environ.get("HTTP_ACCEPT", "").split(","):
        media = part.partition(";")[0].strip()
        if media in _ACCEPTED:
            return _ACCEPTED[media]
        if media in (_rendering.JSON, "*/*", "application/*"):
            break
    return "json"


def _send(
    rendered: RenderedResponse,
    environ: Environ,
    start_response: StartResponse,
    *more: tuple[str, str],
) -> list[bytes]:
    headers = [*rendered.headers, ("X-Request-ID", request_id(environ)), *more]
    start_response(rendered.status, headers)
    return [rendered.body]


def request_id(environ: Mapping[str, Any]) -> str:
    """Returns the caller's `X-Request-ID` where it is a sane one, else a new one."""
    given = environ.get("HTTP_X_REQUEST_ID")
    if given and _SANE_ID.fullmatch(given):
        return str(given)
    return f"{random.getrandbits(128):032x}"


def _refuse(
    code: int, detail: str, environ: Environ, start_response: StartResponse, *more: tuple[str, str]
) -> list[bytes]:
    """Responds with a problem (RFC 9457)."""
    known = request_id(environ)
    title = HTTPStatus(code).phrase
    body = {"type": "about:blank", "title": title, "status": code, "detail": detail}
    content = _rendering.dump({**body, "request_id": known})
    rendered = _rendering.response(code, "application/problem+json", content)
    start_response(rendered.status, [*rendered.headers, ("X-Request-ID", known), *more])
    return [rendered.body]


_READ_ONLY = "Health is read with GET or HEAD."
_METRICS = "Metrics are for this machine, and for who sends the token."
_BEATS_ALLOW = ", ".join(BEAT_METHODS)
_BEATS_ONLY = "A heartbeat is a GET, a HEAD or a POST."
_STATUS = "The status page is for this machine, and for who sends the token."
_NO_SUCH_BEAT = "No heartbeat has this token."
_NOT_STORED = "The heartbeat could not be stored; send it again."
_BEAT_RECORDED = _rendering.response(200, _rendering.JSON, b'{"status": "ok"}')
