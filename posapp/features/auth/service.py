"""Who somebody is: sign-in, sessions, staff."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.auth import passwords
from posapp.features.auth.models import RefreshToken, User
from posapp.features.auth.schemas import NewUser
from posapp.http import rate_limits
from posapp.http.errors import Conflict, TooManyRequests, Unauthorized

REFRESH_LIFETIME = timedelta(days=14)
FAILURES_PER_USER = 5
FAILURES_PER_ADDRESS = 50
FAILURE_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """Somebody has been let in; `refresh_token` is shown this once."""

    user: User
    refresh_token: str


def log_in(
    session: Session, username: str, password: str, address: str, now: datetime
) -> IssuedTokens | None:
    """Lets somebody in, or notes the failure and returns None: the caller commits either.

    Raises TooManyRequests after five failures for one name from one address, or fifty from one
    address, within five minutes.
    """
    tries = (
        (f"login:{address}:{username}", FAILURES_PER_USER),
        (f"login:{address}", FAILURES_PER_ADDRESS),
    )
    for key, limit in tries:
        if seconds := rate_limits.seconds_until_allowed(session, key, limit, FAILURE_WINDOW, now):
            raise TooManyRequests("Too many tries; wait a little and try again.", seconds)
    user = session.scalar(select(User).where(User.username == username, User.active))
    if (
        not passwords.verify_password(password, user.password_hash if user else None)
        or user is None
    ):
        for key, _ in tries:
            rate_limits.record_attempt(session, key, FAILURE_WINDOW, now)
        return None
    return IssuedTokens(user, _new_token(session, user.id, uuid4(), now))


def refresh(session: Session, token: str, now: datetime) -> IssuedTokens | None:
    """The next token of a family. One that was used already has been stolen, or its thief has:
    the whole family is revoked. The caller commits either."""
    query = select(RefreshToken).where(RefreshToken.token_hash == _digest(token)).with_for_update()
    known = session.scalar(query)
    if known is None or known.revoked_at is not None or known.expires_at <= now:
        return None
    if known.used_at is not None:
        _revoke(session, known.family, now)
        return None
    user = session.scalar(select(User).where(User.id == known.user_id, User.active))
    if user is None:
        return None
    known.used_at = now
    return IssuedTokens(user, _new_token(session, user.id, known.family, now))


def log_out(session: Session, token: str, now: datetime) -> None:
    """Revokes the family of a token; one that nobody knows is signed out already."""
    query = select(RefreshToken.family).where(RefreshToken.token_hash == _digest(token))
    if (family := session.scalar(query)) is not None:
        _revoke(session, family, now)


def authenticate(session: Session, user_id: int) -> User:
    """The active user of a token: rights are those of now, not of when it was issued."""
    user = session.scalar(select(User).where(User.id == user_id, User.active))
    if user is None:
        raise Unauthorized("This account is no longer active.")
    return user


def list_users(session: Session) -> list[User]:
    return list(session.scalars(select(User).order_by(User.username)))


def create_user(session: Session, new: NewUser, created_by: int | None, now: datetime) -> User:
    """A new staff account. Raises Conflict when the user name is taken."""
    user = User(
        username=new.username,
        name=new.name,
        role=new.role,
        password_hash=passwords.hash_password(new.password),
        active=True,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:
        raise Conflict(f"The user name {new.username} is taken.") from None
    audit.record(session, created_by, "user.created", "user", user.id, now, role=user.role)
    return user


def _new_token(session: Session, user_id: int, family: UUID, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        RefreshToken(
            user_id=user_id,
            family=family,
            token_hash=_digest(token),
            created_at=now,
            expires_at=now + REFRESH_LIFETIME,
        )
    )
    return token


def _revoke(session: Session, family: UUID, now: datetime) -> None:
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.family == family, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
