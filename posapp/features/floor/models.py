"""Floors and their dining tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Text
from sqlalchemy.orm import Mapped, mapped_column

from posapp.database.base import Base


class Floor(Base):
    __tablename__ = "floors"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(Text, unique=True)


class DiningTable(Base):
    __tablename__ = "restaurant_tables"
    __table_args__ = (CheckConstraint("seats > 0", name="seats"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    floor_id: Mapped[int] = mapped_column(ForeignKey("floors.id"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(Text, unique=True)
    seats: Mapped[int]
