"""Passwords that are tried in the request under way, within their limit."""

from __future__ import annotations

from datetime import datetime

from flask import g, request

from posapp.features.auth import passwords, service, tokens, tries
from posapp.features.auth.service import PasswordCheck
from posapp.http.transactions import transaction


def check_password(username: str, password: str, now: datetime) -> PasswordCheck:
    """Uses up one try in a transaction of its own, then looks whether the password is right, in
    none: nobody waits for a connection or a row meanwhile. Raises TooManyRequests."""
    checked: dict[str, PasswordCheck] = g.setdefault("passwords_checked", {})
    if username not in checked:  # else it is an act that met another one, and is done again
        checked[username] = _check(username, password, now)
    return checked[username]


def _check(username: str, password: str, now: datetime) -> PasswordCheck:
    with transaction() as session:
        account = service.active_account(session, username)
        user_id, password_hash = (account.id, account.password_hash) if account else (None, None)
        device = tokens.device_of_request(user_id) if user_id is not None else None
        used = tries.tries_of(username, request.remote_addr or "", device)
        refusal = tries.use_up(session, used, now)
    if refusal is not None:
        raise refusal
    right = passwords.verify_password(password, password_hash)
    return PasswordCheck(user_id, password_hash, right, used, device)
