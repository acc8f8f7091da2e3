"""A manager's word that sales go on although the clock looks wrong. Rows are only ever added."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Text
from sqlalchemy.orm import Mapped, mapped_column

from posapp.database.base import Base


class ClockConfirmation(Base):
    __tablename__ = "clock_confirmations"
    __table_args__ = (CheckConstraint("btrim(reason) <> ''", name="reason"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    """By the clock that looked wrong."""
    evidence: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    """The moment that it was compared with."""
    reason: Mapped[str] = mapped_column(Text)
    confirmed_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    approved_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
