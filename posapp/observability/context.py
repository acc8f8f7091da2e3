"""The request that is being served, for whatever runs on its behalf (greenlets too)."""

from __future__ import annotations

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
user_id: ContextVar[int | None] = ContextVar("user_id", default=None)
"""Who asks, once that is known."""
