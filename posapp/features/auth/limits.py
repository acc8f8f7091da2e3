"""The limit on passwords that are tried, for the request under way."""

from __future__ import annotations

from datetime import datetime

from flask import g, request

from posapp.features.auth import service, tokens, tries
from posapp.features.auth.tries import Tries
from posapp.http.transactions import transaction


def use_up_try(username: str, now: datetime) -> tuple[Tries, str | None]:
    """Uses up one try in a transaction of its own; returns what it has used up, and the device of
    the request where this account has signed in before. Raises TooManyRequests."""
    used_up: dict[str, tuple[Tries, str | None]] = g.setdefault("tries_used_up", {})
    if username in used_up:  # an act that met another one, and is done again
        return used_up[username]
    with transaction() as session:
        user_id = service.active_user_id(session, username)
        device = tokens.device_of_request(user_id) if user_id is not None else None
        used = tries.tries_of(username, request.remote_addr or "", device)
        refusal = tries.use_up(session, used, now)
    if refusal is not None:
        raise refusal
    used_up[username] = used, device
    return used, device
