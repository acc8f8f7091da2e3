"""The mark on routes that sell: what has to be right for a sale is checked before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request

View = TypeVar("View", bound=Callable[..., Any])


def sells(view: View) -> View:
    """Marks a route that makes or pays an order."""
    view.__dict__["sells"] = True
    return view


def is_sale() -> bool:
    """Whether the request under way is for a route that sells."""
    return hasattr(current_app.view_functions.get(request.endpoint or ""), "sells")
