"""Acts that must not happen twice, with the answer that was given."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from posapp.database.base import Base


class IdempotencyKey(Base):
    """Kept for ever, like the orders that they belong to: a till may come back after weeks."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    attempt: Mapped[UUID | None]
    """Which of the requests that came under the key has acted, where that is asked for."""
    answer: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
