"""Sign-ins: begun with a password, refreshed by tokens, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.auth import tries
from posapp.features.auth.models import RefreshToken, SignIn, User
from posapp.features.auth.rotation import Rotation, rotation
from posapp.features.auth.tries import Tries

SIGN_IN_LIFETIME = timedelta(days=14)
"""From signing in to its absolute end, however often tokens are refreshed."""


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """A stored refresh token and its user; `tokens.encode` makes the pair of JWTs of it."""

    user: User
    token: RefreshToken


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """The user whose token came with a request."""

    id: int
    username: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """A password that was tried, outside of any transaction: it takes long."""

    user_id: int | None
    """Of the active account of the name."""
    password_hash: str | None
    """As it was then."""
    right: bool
    used: Tries
    device: str | None
    """Of the request, where this account has signed in before."""


def active_account(session: Session, username: str) -> User | None:
    return session.scalar(select(User).where(User.username == username, User.active))


def log_in(
    session: Session, check: PasswordCheck, address: str, now: datetime
) -> IssuedTokens | None:
    """Begins a sign-in, or records the failure and returns None. The caller commits in both
    cases."""
    user = accept_password(session, check, address, now, "sign_in")
    if user is None:
        return None
    _note(session, user, "sign_in.begun", now, address=address)
    return IssuedTokens(user, _begin(session, user, now))


def accept_password(
    session: Session, check: PasswordCheck, address: str, now: datetime, act: str
) -> User | None:
    """Returns the active user whose password it is and gives the tries back that it has used up, or
    records the failure (audit entry `ACT.refused`) and returns None. The caller commits in both
    cases.
    """
    query = select(User).where(User.id == check.user_id, User.active)
    user = session.scalar(query, execution_options={"populate_existing": True})
    if user is None or not check.right or user.password_hash != check.password_hash:
        _note(session, user, f"{act}.refused", now, address=address)
        return None
    tries.give_back(session, check.used)
    return user


def refresh(session: Session, jti: UUID, now: datetime) -> IssuedTokens | None:
    """Issues the successor of a refresh token, or the same one again where its answer got lost.

    Returns None where the sign-in has ended, and ends it where the token was stolen; the caller
    commits in both cases.
    """
    token, sign_in, user = _locked(session, jti)
    if token is None or sign_in is None or user is None:
        return None
    if sign_in.ended_at is not None or sign_in.expires_at <= now:
        return None
    successor = session.scalar(select(RefreshToken).where(RefreshToken.predecessor_id == token.id))
    successor_used = successor is not None and successor.used_at is not None
    step = rotation(token.used_at, successor_used, now)
    if step is Rotation.THEFT:
        _end(sign_in, "stolen", now)
        audit.record(
            session, user.id, "sign_in.stolen", "user", user.id, now, family=str(sign_in.id)
        )
        return None
    if step is Rotation.ISSUE:
        token.used_at = now
        successor = _issue(session, sign_in, now, predecessor_id=token.id)
    return IssuedTokens(user, successor) if successor else None


def log_out(session: Session, family: UUID, now: datetime) -> None:
    """Ends a sign-in; one that has ended, or that nobody knows, stays as it is."""
    sign_in = session.get(SignIn, family, with_for_update=True)
    if sign_in is not None and sign_in.ended_at is None:
        _end(sign_in, "signed_out", now)
        audit.record(session, sign_in.user_id, "sign_in.ended", "user", sign_in.user_id, now)


_SIGNED_IN = text(
    """
    SELECT users.id, users.username, users.name, users.role
    FROM sign_ins JOIN users ON users.id = sign_ins.user_id
    WHERE sign_ins.id = :family AND sign_ins.ended_at IS NULL
      AND users.id = :user_id AND users.active AND users.token_epoch = :epoch
    """
)


def user_of_sign_in(
    session: Session, user_id: int, family: UUID, epoch: int
) -> SignedInUser | None:
    """Returns the active user of a sign-in that has not ended, or None; `epoch` is the token's.

    Asked at every request, so it makes no object of the ORM.
    """
    row = session.execute(_SIGNED_IN, {"family": family, "user_id": user_id, "epoch": epoch})
    found = row.first()
    return None if found is None else SignedInUser(*found)


def _note(session: Session, user: User | None, action: str, now: datetime, address: str) -> None:
    """Adds an audit entry. A name that no account has is not kept: people type passwords there."""
    user_id = user.id if user else None
    audit.record(session, user_id, action, "user", user_id or 0, now, address=address)


def _begin(session: Session, user: User, now: datetime) -> RefreshToken:
    """A new sign-in and its first token."""
    sign_in = SignIn(id=uuid4(), user_id=user.id, created_at=now, expires_at=now + SIGN_IN_LIFETIME)
    session.add(sign_in)
    return _issue(session, sign_in, now)


def _issue(
    session: Session, sign_in: SignIn, now: datetime, predecessor_id: int | None = None
) -> RefreshToken:
    token = RefreshToken(
        jti=uuid4(),
        user_id=sign_in.user_id,
        family=sign_in.id,
        predecessor_id=predecessor_id,
        created_at=now,
        expires_at=sign_in.expires_at,
    )
    session.add(token)
    return token


def _locked(session: Session, jti: UUID) -> tuple[RefreshToken | None, SignIn | None, User | None]:
    """A token, its sign-in and its active user, locked so that two refreshes queue."""
    query = (
        select(RefreshToken, SignIn, User)
        .join(SignIn, SignIn.id == RefreshToken.family)
        .join(User, User.id == SignIn.user_id)
        .where(RefreshToken.jti == jti, User.active)
        .with_for_update(of=[RefreshToken, SignIn])
        .execution_options(populate_existing=True)
    )
    row = session.execute(query).first()
    return (None, None, None) if row is None else (row[0], row[1], row[2])


def _end(sign_in: SignIn, reason: str, now: datetime) -> None:
    sign_in.ended_at = now
    sign_in.end_reason = reason
