"""The settings of the restaurant, and the identity of its data: one row each."""

from __future__ import annotations

from datetime import time

from sqlalchemy import BigInteger, CheckConstraint, Text, Time, text
from sqlalchemy.orm import Mapped, mapped_column

from posapp.database.base import Base


class Restaurant(Base):
    __tablename__ = "restaurant"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("service_rate BETWEEN 0 AND 10000", name="service_rate"),
        CheckConstraint("tax_rate BETWEEN 0 AND 10000", name="tax_rate"),
        CheckConstraint(
            "service_base IN ('before_discount', 'after_discount')", name="service_base"
        ),
        CheckConstraint("cash_rounding BETWEEN 1 AND 1000", name="cash_rounding"),
        CheckConstraint("btrim(name) <> '' AND btrim(tax_name) <> ''", name="names"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    name: Mapped[str] = mapped_column(Text)
    service_rate: Mapped[int]
    """Basis points: 500 is 5 %."""
    tax_rate: Mapped[int]
    """In basis points."""
    tax_name: Mapped[str] = mapped_column(Text, server_default="PB1")
    """As it stands on the bill."""
    service_base: Mapped[str] = mapped_column(Text)
    cash_rounding: Mapped[int] = mapped_column(BigInteger)
    """Rupiah to which what is paid in cash is rounded."""
    day_starts: Mapped[time] = mapped_column(Time)
    """When the business day begins: a sale before it belongs to the day before."""
    timezone: Mapped[str] = mapped_column(Text)


class Installation(Base):
    """The identity of this restaurant's data, made once by the migration: it survives a restore and
    a move, and backups are known by it as the restaurant's own."""

    __tablename__ = "installation"
    __table_args__ = (
        CheckConstraint("only_row", name="one_row"),
        CheckConstraint("identity ~ '^[0-9a-f]{16}$'", name="identity"),
    )

    only_row: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    identity: Mapped[str] = mapped_column(
        Text, server_default=text("substr(md5(gen_random_uuid()::text), 1, 16)")
    )
