"""Each thing that a request says, once. Its body is read from a client that may be slow or wrong,
then JSON, well-formed and of bounded size, before any schema sees it."""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from flask import request
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    RequestEntityTooLarge,
    RequestTimeout,
    UnsupportedMediaType,
)

from posapp.http.connections import SlowClient
from posapp.http.errors import Invalid
from posapp.http.problems import plain_problem
from posapp.observability.request_log import (
    BODY_SECONDS_KEY,
    ROUTE_KEY,
    Application,
    Environ,
)

MAX_BODY_BYTES = 256 * 1024
"""An order of 200 lines is a tenth of it."""


def sent_json() -> Any:
    """The JSON of the body as it was sent, before any schema."""
    return request.get_json()


def refuse_doubled_key() -> None:
    """Raises BadRequest where `Idempotency-Key` came twice: a server joins the two by a comma."""
    if "," in request.headers.get("Idempotency-Key", ""):
        raise BadRequest("Idempotency-Key must come once, and hold no comma.")


def refuse_doubled_query() -> None:
    """Raises Invalid where the address says one thing twice."""
    doubled = next((name for name, said in request.args.lists() if len(said) > 1), None)
    if doubled is not None:
        raise Invalid(doubled if doubled.isprintable() and doubled else "query", "is there twice")


def validate_json_body() -> None:
    """Refuses a body that is not JSON (415), not well-formed (400), too large (413), or that says
    one thing twice (422).

    Raises the HTTP errors of werkzeug, and Invalid.
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
        parsed = json.loads(data, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not well-formed JSON.") from None
    # What the validation of the framework reads; it would take a string for JSON once more.
    request._cached_json = ([parsed] if isinstance(parsed, str) else parsed,) * 2


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Of two quantities no reader may choose one (RFC 7493, section 2.3).

    Raises Invalid.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        doubled = next(name for name, times in Counter(n for n, _ in pairs).items() if times > 1)
        raise Invalid(doubled if doubled.isprintable() and doubled else "body", "is there twice")
    return found


class RequestBodyMiddleware:
    """WSGI middleware that has a body at hand before the application is asked: half of one costs no
    more than the wait, and what is wrong with it is the client's mistake.

    What says that it is too large is not read; the application refuses it.
    """

    def __init__(self, app: Application, seconds: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._seconds = seconds

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if not _has_body(environ):
            return self._app(environ, start_response)
        began = self._seconds()
        try:
            environ["wsgi.input"] = io.BytesIO(_read(environ))
        except HTTPException as error:
            environ[ROUTE_KEY] = "refused"
            status, headers, content = plain_problem(error.code or 400, error.description or "")
            start_response(status, headers)
            return [content]
        finally:
            environ[BODY_SECONDS_KEY] = self._seconds() - began
        return self._app(environ, start_response)


def _has_body(environ: Environ) -> bool:
    """Whether there is one of a size that is taken, or of a size that is not known."""
    length = environ.get("CONTENT_LENGTH")
    if length:
        return length.isdecimal() and len(length) < 10 and 0 < int(length) <= MAX_BODY_BYTES
    return "HTTP_TRANSFER_ENCODING" in environ


def _read(environ: Environ) -> bytes:
    """Raises RequestTimeout or BadRequest."""
    try:
        data: bytes = environ["wsgi.input"].read(MAX_BODY_BYTES + 1)
    except SlowClient as error:
        raise RequestTimeout(f"The request is too slow: {error}.") from None
    except (ParseException, NoMoreData):
        raise BadRequest("The body is not well-formed HTTP.") from None
    return data
