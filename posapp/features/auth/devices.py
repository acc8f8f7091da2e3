"""Devices where somebody has signed in before, known by a cookie for each account.

A cookie names a device by chance and is signed for one account, so that nobody can make one. It
opens nothing: it only has its own allowance of passwords to try, so that a stranger's guesses do
not use up those of the till.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

LIFETIME = timedelta(days=365)

_VALUE = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})")


def cookie_name(user_id: int) -> str:
    return f"device-{user_id}"


def new_device() -> str:
    """Returns the name of a device, by chance."""
    return secrets.token_hex(16)


def sign(device: str, user_id: int, secret: str) -> str:
    """Returns the cookie's value."""
    return f"{device}.{_signature(device, user_id, secret)}"


def known_device(value: str | None, user_id: int, secret: str) -> str | None:
    """Returns the device that a cookie of this account names, or None."""
    match = _VALUE.fullmatch(value or "")
    if match is None:
        return None
    good = hmac.compare_digest(match[2], _signature(match[1], user_id, secret))
    return match[1] if good else None


def _signature(device: str, user_id: int, secret: str) -> str:
    text = f"device:{user_id}:{device}".encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()[:32]
