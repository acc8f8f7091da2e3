"""Errors as RFC 9457 `application/problem+json`, for whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

from flask import Flask, Response, request
from psycopg2 import errorcodes
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from healthkit.masking import escape_controls, mask, mask_value
from posapp.database.connection import sqlstate
from posapp.http.errors import RETRY_SECONDS, ApiError, FieldError
from posapp.http.field_messages import field_message
from posapp.observability import error_tracking
from posapp.observability.context import request_id
from posapp.observability.request_log import EXCEPTION_KEY

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20
"""Errors that are named; `errors_omitted` counts the rest."""

LONGEST_TEXT = 200
"""Characters of a field's name or of a message."""

_LONGEST_DETAIL = 1000
"""Characters."""

_UNEXPECTED = "An unexpected error occurred and has been reported."


def problem(
    status: int,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    extension: Mapping[str, Any] | None = None,
) -> Response:
    body = problem_body(status, detail, errors, extension)
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status, dict(headers or {}), content_type=MEDIA_TYPE)


def problem_body(
    status: int,
    detail: str,
    errors: Sequence[FieldError] = (),
    extension: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns the members of a problem, masked and bounded."""
    shown = [
        {name: bounded(text, LONGEST_TEXT) for name, text in error.items()}
        for error in errors[:MOST_ERRORS]
    ]
    if shown:  # "password: too short" names a field, and would lose its message as a whole
        detail = f"{shown[0]['field']}: {shown[0]['message']}"
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail if shown else bounded(detail, _LONGEST_DETAIL),
        "request_id": request_id.get() or "",
    }
    if shown:
        body["errors"] = shown
    if len(errors) > len(shown):
        body["errors_omitted"] = len(errors) - len(shown)
    return body | {name: mask_value(value) for name, value in (extension or {}).items()}


def bounded(text: str, limit: int) -> str:
    """Masks and escapes text, and cuts it to `limit` characters."""
    # What a long text is cut to first may still grow by masking, or shrink: it is cut once more.
    shown = escape_controls(mask(text[: 10 * limit]))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def validation_problem(error: ValidationError) -> Response:
    """422 with the path of every field that pydantic refused."""
    found = [
        {"field": ".".join(map(str, fault["loc"])) or "body", "message": field_message(fault)}
        for fault in error.errors(include_url=False, include_input=False)
    ]
    return problem(422, "", found)


def api_error_response(error: ApiError) -> Response:
    """A refusal of a service as a problem."""
    return problem(error.status, error.detail, error.errors, error.headers, error.extension)


def http_problem(error: HTTPException) -> Response:
    """An error of the framework, such as 404 and 405, as a problem."""
    if error.response is not None:  # a finished answer: a redirect, or `invalid`
        return cast(Response, error.response)
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    code = error.code or 500
    return problem(code, error.description or HTTPStatus(code).phrase, headers=headers)


def refuse_unknown_address() -> None:
    """Raises 404 or 405 for a wrong path or method, before anything is asked of the body."""
    if request.routing_exception is not None:
        raise request.routing_exception


def plain_problem(status: int, detail: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """Returns status line, headers and body of a problem, for what answers without Flask."""
    body = json.dumps(problem_body(status, detail)).encode()
    headers = [("Content-Type", MEDIA_TYPE), ("Content-Length", str(len(body)))]
    headers.append(("Cache-Control", "no-store"))
    return f"{status} {HTTPStatus(status).phrase}", headers, body


def unexpected() -> tuple[str, list[tuple[str, str]], bytes]:
    """Returns the problem of an error that even the framework did not expect."""
    return plain_problem(500, _UNEXPECTED)


def install(app: Flask) -> None:
    """Turns every error of `app` into a problem, which shows nothing of the inside."""

    app.register_error_handler(ApiError, api_error_response)
    app.register_error_handler(HTTPException, http_problem)

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    def database_unavailable(error: Exception) -> Response:
        request.environ[EXCEPTION_KEY] = error
        held = sqlstate(error) == errorcodes.LOCK_NOT_AVAILABLE
        return problem(
            503,
            ("Somebody else is at work on this" if held else "The database does not answer")
            + "; nothing is lost, send the same request again.",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )

    @app.errorhandler(Exception)
    def unexpected_error(error: Exception) -> Response:
        if isinstance(error, DBAPIError) and _passes(error):
            return database_unavailable(error)
        request.environ[EXCEPTION_KEY] = error
        error_tracking.capture(error)
        return problem(500, _UNEXPECTED)


def _passes(error: DBAPIError) -> bool:
    """Whether a database is away, full or read-only for the moment, and not the request at fault.

    PostgreSQL's classes of errors: transaction state, resources, intervention, system.
    """
    return error.connection_invalidated or sqlstate(error)[:2] in ("25", "53", "57", "58")
