"""Access to routes: each is marked with the roles that may call it, checked before its input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from posapp.http.errors import Forbidden
from posapp.http.roles import StaffRole
from posapp.observability.context import user_id

API_PREFIX = "/api/v1"
View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Marks a route that anybody may call."""
    view.__dict__["allowed_roles"] = ()
    return view


def require_roles(*allowed: StaffRole) -> Callable[[View], View]:
    """Marks a route that needs a token of one of these roles. It is checked before the input is
    looked at, and a route that is neither `public` nor marked so stops the start."""

    def mark(view: View) -> View:
        view.__dict__["allowed_roles"] = allowed
        return view

    return mark


def install(app: Flask, authenticate: Callable[[], Any]) -> None:
    """Checks every request of `app` before its input is looked at.

    `authenticate` returns the user of the request's access token, with `id` and `role`, or raises.
    """

    @app.before_request
    def authenticate_request() -> None:
        allowed = getattr(
            current_app.view_functions.get(request.endpoint or ""), "allowed_roles", ()
        )
        if not allowed:
            return
        g.user = authenticate()
        user_id.set(g.user.id)
        if g.user.role not in allowed:
            raise Forbidden(f"This is for: {', '.join(allowed)}.")


def current_user() -> Any:
    """The user whose token came with the request; only in routes that are not public."""
    return g.user
