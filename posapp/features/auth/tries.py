"""The limit on passwords that are tried: by account and by address, and apart for a known device.

A try is used up before the password is looked at, in a transaction of its own, so that a hundred at
once are no more guesses than one after the other; the right password gives it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.http import rate_limits
from posapp.http.connections import address_group
from posapp.http.errors import TooManyRequests
from posapp.http.rate_limits import RateLimit

PER_ACCOUNT = RateLimit(burst=5, interval=timedelta(minutes=1))
PER_ADDRESS = RateLimit(burst=50, interval=timedelta(seconds=6))
_AUDITED = RateLimit(burst=1, interval=timedelta(minutes=5))
"""Entries of the audit log for one limit that is hit again and again."""

Tries = Sequence[tuple[str, RateLimit]]


def tries_of(username: str, address: str, device: str | None) -> Tries:
    """Returns what a try uses up: keys and their limits, always in the same order."""
    if device is not None:
        return ((f"login:device:{device}:{username}", PER_ACCOUNT),)
    client = address_group(address) or address
    return ((f"login:address:{client}", PER_ADDRESS), (f"login:account:{username}", PER_ACCOUNT))


def use_up(session: Session, tries: Tries, now: datetime) -> TooManyRequests | None:
    """Uses up one try, or returns the refusal and uses up nothing. The caller commits."""
    all_or_none = session.begin_nested()
    for key, limit in tries:
        if seconds := rate_limits.take(session, key, limit, now):
            all_or_none.rollback()
            return _refuse(session, key, seconds, now)
    all_or_none.commit()
    return None


def give_back(session: Session, tries: Tries) -> None:
    """Returns a try whose password was right."""
    for key, limit in tries:
        rate_limits.give_back(session, key, limit)


def _refuse(session: Session, key: str, seconds: int, now: datetime) -> TooManyRequests:
    if not rate_limits.take(session, f"told:{key}", _AUDITED, now):
        kind = key.split(":")[1]
        audit.record(session, None, "sign_in.limited", "user", 0, now, by=kind, retry_after=seconds)
    return TooManyRequests("Too many tries; wait a little and try again.", seconds)
