"""Who somebody is: sign-in, sessions, staff."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from posapp.database.engine import Database, utc_now
from posapp.features.audit import service as audit
from posapp.features.auth import passwords
from posapp.features.auth.models import RefreshToken, User
from posapp.features.auth.schemas import NewUser
from posapp.http import rate_limits
from posapp.http.errors import Conflict, TooMany, Unauthorized
from posapp.runtime.errors import CommandError

REFRESH_LIFETIME = timedelta(days=14)
FAILURES_PER_USER = 5
FAILURES_PER_ADDRESS = 50
FAILURE_WINDOW = timedelta(minutes=5)


class UserError(CommandError):
    """A staff account cannot be made; one line that says why."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Somebody has been let in; `refresh_token` is shown this once."""

    user: User
    refresh_token: str


def log_in(
    session: Session, username: str, password: str, address: str, now: datetime
) -> Grant | None:
    """Lets somebody in, or notes the failure and returns None: the caller commits either.

    Raises TooMany after five failures for one name from one address, or fifty from one address,
    within five minutes.
    """
    tries = (
        (f"login:{address}:{username}", FAILURES_PER_USER),
        (f"login:{address}", FAILURES_PER_ADDRESS),
    )
    for key, limit in tries:
        if seconds := rate_limits.wait(session, key, limit, FAILURE_WINDOW, now):
            raise TooMany("Too many tries; wait a little and try again.", seconds)
    user = session.scalar(select(User).where(User.username == username, User.active))
    if not passwords.verify(password, user.password_hash if user else None) or user is None:
        for key, _ in tries:
            rate_limits.count(session, key, FAILURE_WINDOW, now)
        return None
    return Grant(user, _new_token(session, user.id, uuid4(), now))


def refresh(session: Session, token: str, now: datetime) -> Grant | None:
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
    return Grant(user, _new_token(session, user.id, known.family, now))


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


def staff(session: Session) -> list[User]:
    return list(session.scalars(select(User).order_by(User.username)))


def hire(session: Session, new: NewUser, by: int | None, now: datetime) -> User:
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
    audit.record(session, by, "user.created", "user", user.id, now, role=user.role)
    return user


def add_user(engine: Engine, username: str, name: str, role: str, password: str) -> None:
    """A staff account from the command line. Raises UserError."""
    from pydantic import ValidationError

    try:
        new = NewUser.model_validate(
            {"username": username, "name": name, "role": role, "password": password}
        )
        with Database(engine).transaction() as session:
            hire(session, new, None, utc_now())
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        raise UserError(f"{fault['loc'][0]}: {fault['msg']}") from None
    except Conflict as error:
        raise UserError(error.detail) from None


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
