"""The body of a request: JSON, well-formed and of bounded size, before any schema sees it."""

from __future__ import annotations

import json
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

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
