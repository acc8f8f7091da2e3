"""The mount for WSGI: responds before the application is called.

application = HealthMiddleware(application, health)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from healthkit._health import Health
from healthkit.web._incoming import BEAT, BEAT_METHODS, BODY, announced
from healthkit.web._responder import FIRST_RESULTS, PATHS, Responder, request_id
from healthkit.web.access import SeesDetails

__all__ = [
    "BEAT",
    "BEAT_METHODS",
    "FIRST_RESULTS",
    "PATHS",
    "Application",
    "Environ",
    "HealthMiddleware",
    "StartResponse",
    "request_id",
]

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


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
        self._responder = Responder(health, paths, sees_details)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if limit := self._responder.body_limit(environ):
            environ[BODY] = _read_body(environ, limit)
        steps = self._responder.respond(environ)
        while True:
            try:
                time.sleep(next(steps))  # a greenlet's own, where gevent has patched it
            except StopIteration as end:
                found = end.value
                break
        if found is None:
            return self._app(environ, start_response)
        start_response(found.status, list(found.headers))
        return [found.body] if found.body else []


def _read_body(environ: Environ, limit: int) -> bytes | None:
    """Returns what a request brings, up to a limit; nothing where its end is not known; None where
    it cannot be read, as of a sender who has gone."""
    length = announced(environ)
    if length is None and not environ.get("wsgi.input_terminated"):
        return b""
    wanted = limit if length is None else min(limit, length)
    body, source = b"", environ["wsgi.input"]
    try:
        while len(body) < wanted and (part := source.read(wanted - len(body))):
            body += part
    except (OSError, ValueError):  # servers' own, for chunks that are none
        return None
    return body if length is None or len(body) == wanted else None
