"""What every route has in common: who may call it, its transaction, its body, its answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

from flask import Response, current_app, g, request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from posapp.fields import Role

PREFIX = "/api/v1"
DATABASE = "posapp.database"
View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Marks a route that anybody may call."""
    view.__dict__["roles"] = ()
    return view


def roles(*allowed: Role) -> Callable[[View], View]:
    """Marks a route that needs a token of one of these roles. It is checked before the input is
    looked at, and a route that is neither `public` nor marked so stops the start."""

    def mark(view: View) -> View:
        view.__dict__["roles"] = allowed
        return view

    return mark


def transaction() -> AbstractContextManager[Session]:
    """One transaction on the application's database."""
    return cast(AbstractContextManager[Session], current_app.extensions[DATABASE].transaction())


def answer(model: BaseModel, status: int = 200, **headers: str) -> Response:
    return json_answer(model.model_dump_json(), status, **headers)


def json_answer(body: str, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("Cache-Control", "no-store")
    return Response(body, status, named, mimetype="application/json")


def idempotent_answer(body: str, replayed: bool) -> Response:
    """201, and whether it is the answer of before."""
    return json_answer(body, 201, **({"Idempotency_Replayed": "true"} if replayed else {}))


def require_json() -> None:
    """Refuses a body that is not JSON (415), not well-formed (400) or too large (413).

    Raises the HTTP errors of werkzeug.
    """
    if request.method not in ("POST", "PUT", "PATCH") or not getattr(_view(), "takes_body", True):
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


def _view() -> Any:
    return current_app.view_functions.get(request.endpoint or "")


def current_user() -> Any:
    """The user whose token came with the request; only in routes that are not public."""
    return g.user
