"""The body of a request: read from a client that may be slow or wrong, then JSON, well-formed and
of bounded size, before any schema sees it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import request
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import (
    BadRequest,
    RequestEntityTooLarge,
    RequestTimeout,
    UnsupportedMediaType,
)

from posapp.http.connections import SlowClient
from posapp.observability.request_log import BODY_SECONDS_KEY, Application, Environ

MAX_BODY_BYTES = 256 * 1024
"""An order of 200 lines is a tenth of it."""


def sent_json() -> Any:
    """The JSON of the body as it was sent, before any schema."""
    return request.get_json()


def refuse_doubled_key() -> None:
    """Raises BadRequest where `Idempotency-Key` came twice: a server joins the two by a comma."""
    if "," in request.headers.get("Idempotency-Key", ""):
        raise BadRequest("Idempotency-Key must come once, and hold no comma.")


def validate_json_body() -> None:
    """Refuses a body that is not JSON (415), not well-formed (400) or too large (413).

    Raises the HTTP errors of werkzeug.
    """
    if request.method not in ("POST", "PUT", "PATCH"):
        return
    if not request.is_json:
        raise UnsupportedMediaType("The body must be application/json.")
    data = request.get_data(cache=True)
    if len(data) >= (request.max_content_length or len(data) + 1):
        # Of a body that does not say its length no more than this is read.
        raise RequestEntityTooLarge()
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not well-formed JSON.") from None
    # What the validation of the framework reads; it would take a string for JSON once more.
    request._cached_json = ([parsed] if isinstance(parsed, str) else parsed,) * 2


class RequestBodyMiddleware:
    """WSGI middleware: what is wrong with a body is the client's mistake, wherever it is read."""

    def __init__(self, app: Application, seconds: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._seconds = seconds

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"] = _ClientBody(environ, self._seconds)
        return self._app(environ, start_response)


class _ClientBody:
    """The stream of a body. Its errors are werkzeug's, and the time that it takes is added up."""

    def __init__(self, environ: Environ, seconds: Callable[[], float]) -> None:
        self._stream = environ["wsgi.input"]
        self._environ = environ
        self._seconds = seconds

    def read(self, size: int = -1) -> bytes:
        return self._call(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._call(self._stream.readline, size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _call(self, read: Callable[[int], bytes], size: int) -> bytes:
        began = self._seconds()
        try:
            return read(size)
        except SlowClient as error:
            raise RequestTimeout(f"The request is too slow: {error}.") from None
        except (ParseException, NoMoreData):
            raise BadRequest("The body is not well-formed HTTP.") from None
        finally:
            took = self._seconds() - began
            self._environ[BODY_SECONDS_KEY] = self._environ.get(BODY_SECONDS_KEY, 0.0) + took
