"""Staff accounts, sign-ins and refresh tokens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Text
from sqlalchemy.orm import Mapped, mapped_column

from posapp.database.base import Base
from posapp.http.roles import STAFF_ROLES

_ROLE_LIST = ", ".join(f"'{role}'" for role in STAFF_ROLES)


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("username = lower(username) AND username <> ''", name="username"),
        CheckConstraint(f"role IN ({_ROLE_LIST})", name="role"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    username: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(default=True)
    token_epoch: Mapped[int] = mapped_column(default=0, server_default="0")
    """Raised by a trigger with another password or role and with a dismissal: tokens that carry an
    older one have ended."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SignIn(Base):
    """One sign-in on one device: the family of its refresh tokens, with an absolute end."""

    __tablename__ = "sign_ins"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="end"),
        CheckConstraint("end_reason IN ('signed_out', 'stolen', 'restored')", name="end_reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    end_reason: Mapped[str | None] = mapped_column(Text)


class RefreshToken(Base):
    """One link of a chain: each refresh uses one up and issues the next of the same sign-in.

    The columns `token_hash` and `revoked_at` are the version's before; they go a release later.
    """

    __tablename__ = "refresh_tokens"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    jti: Mapped[UUID | None] = mapped_column(unique=True)
    """Its id in the JWT; NULL in rows of the version before."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    family: Mapped[UUID] = mapped_column(index=True)
    """The sign-in."""
    predecessor_id: Mapped[int | None] = mapped_column(ForeignKey("refresh_tokens.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
