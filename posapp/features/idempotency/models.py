"""Acts that must not happen twice, with the answer that was given."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from posapp.database.base import Base


class IdempotencyKey(Base):
    """Kept for a quarter (`service.KEPT`): a till may come back after weeks."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index("ix_idempotency_keys_created_at", "created_at", postgresql_using="brin"),
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    attempt: Mapped[UUID | None]
    """Which of the requests that came under the key has acted, where that is asked for."""
    answer: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
