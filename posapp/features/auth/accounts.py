"""The life of a staff account: added, given another role or password, dismissed, taken back.

A trigger raises the account's `token_epoch` with each of these changes, so that its sign-ins end at
the next request. The last admin stays one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.auth import passwords
from posapp.features.auth.demo_logins import DEMO_LOGINS
from posapp.features.auth.models import User
from posapp.features.auth.schemas import NewUser
from posapp.http.errors import Conflict, Invalid, NotFound
from posapp.http.roles import StaffRole


def list_users(session: Session) -> list[User]:
    """Returns all accounts by user name, dismissed ones included."""
    return list(session.scalars(select(User).order_by(User.username)))


def page(session: Session, limit: int, after_id: int | None = None) -> list[User]:
    """Returns accounts in the order in which they were added; `after_id` is the cursor."""
    query = select(User).order_by(User.id).limit(limit)
    return list(session.scalars(query.where(User.id > after_id) if after_id else query))


def get(session: Session, user_id: int) -> User:
    """Raises NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"There is no account {user_id}.")
    return user


def get_by_name(session: Session, username: str) -> User:
    """Raises NotFound."""
    query = select(User).where(User.username == username.strip().lower())
    # Bytes at a command that are no text cannot even be asked for.
    user = session.scalar(query) if username.isprintable() else None
    if user is None:
        raise NotFound(f"There is no account {username}.")
    return user


def usernames(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Returns the user names of accounts by their ids."""
    rows = session.execute(select(User.id, User.username).where(User.id.in_(set(ids))))
    return {row.id: row.username for row in rows}


def create_user(session: Session, new: NewUser, created_by: int | None, now: datetime) -> User:
    """Adds an account. Raises Conflict when the user name is taken."""
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


def set_role(
    session: Session, user_id: int, role: StaffRole, changed_by: int | None, now: datetime
) -> User:
    """Gives an account another role. Raises NotFound, and Conflict for the last admin."""
    user = _locked(session, user_id)
    if user.role != role:
        if role != "admin":
            _require_another_admin(session, user)
        audit.record(
            session, changed_by, "user.role", "user", user.id, now, before=user.role, after=role
        )
        user.role = role
        session.flush()
    return user


def set_active(
    session: Session, user_id: int, active: bool, changed_by: int | None, now: datetime
) -> User:
    """Dismisses an account or takes it back. Raises NotFound, and Conflict for the last admin."""
    user = _locked(session, user_id)
    if user.active != active:
        if not active:
            _require_another_admin(session, user)
        action = "user.activated" if active else "user.deactivated"
        audit.record(session, changed_by, action, "user", user.id, now)
        user.active = active
        session.flush()
    return user


def set_password(
    session: Session, user_id: int, password: str, changed_by: int | None, now: datetime
) -> User:
    """Gives an account another password. Raises NotFound, and Invalid for the user name itself."""
    user = _locked(session, user_id)
    if passwords.is_name(password, user.username):
        raise Invalid("password", passwords.IS_NAME)
    user.password_hash = passwords.hash_password(password)
    audit.record(session, changed_by, "user.password", "user", user.id, now)
    session.flush()
    return user


def demo_accounts(session: Session) -> list[str]:
    """Returns the active accounts that the demo's passwords open."""
    known = {login.username: login.password for login in DEMO_LOGINS}
    found = session.scalars(select(User).where(User.username.in_(known), User.active))
    return sorted(
        user.username
        for user in found
        if passwords.verify_password(known[user.username], user.password_hash)
    )


def _locked(session: Session, user_id: int) -> User:
    user = session.scalar(select(User).where(User.id == user_id).with_for_update())
    if user is None:
        raise NotFound(f"There is no account {user_id}.")
    return user


def _require_another_admin(session: Session, user: User) -> None:
    """Raises Conflict. All admins are locked in one order, so that two cannot remove each other."""
    query = select(User.id).where(User.role == "admin", User.active).order_by(User.id)
    admins = set(session.scalars(query.with_for_update()))
    if admins == {user.id}:
        raise Conflict(f"{user.username} is the last admin; make another one first.")
