"""Orders and their lines, with the invariants that the database itself holds.

Beside the constraints here, triggers of the migrations see to it that a line never changes, that
an order's `paid` is the sum of its payments that were not reversed, that its subtotal is the sum of
its lines that were not voided, and that a paid or voided order stays as it is.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from posapp.database.base import Base
from posapp.features.orders.states import STATES

_STATES = ", ".join(f"'{state}'" for state in STATES)


class NumberCounter(Base):
    """The last number given out on a business day. Its row is locked until the order that took a
    number is committed, so numbers have neither gaps nor twins."""

    __tablename__ = "counters"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    business_date: Mapped[date] = mapped_column(Date, primary_key=True)
    last: Mapped[int]


class Order(Base):
    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("business_date", "number"),
        CheckConstraint("type IN ('dine_in', 'takeaway', 'delivery')", name="type"),
        CheckConstraint("table_id IS NULL OR type = 'dine_in'", name="table"),
        CheckConstraint(
            "guests IS NULL OR (type = 'dine_in' AND guests BETWEEN 1 AND 200)", name="guests"
        ),
        CheckConstraint("char_length(customer_name) BETWEEN 1 AND 100", name="customer_name"),
        CheckConstraint("char_length(customer_phone) BETWEEN 5 AND 25", name="customer_phone"),
        CheckConstraint(
            "customer_address IS NULL"
            " OR (type = 'delivery' AND char_length(customer_address) BETWEEN 1 AND 300)",
            name="customer_address",
        ),
        CheckConstraint(f"status IN ({_STATES})", name="status"),
        CheckConstraint(
            "total = subtotal - discount + service_charge + tax + rounding", name="total"
        ),
        CheckConstraint("discount BETWEEN 0 AND subtotal", name="discount"),
        CheckConstraint("service_charge >= 0 AND tax >= 0", name="charges"),
        CheckConstraint("paid BETWEEN 0 AND total", name="paid"),
        CheckConstraint("status <> 'paid' OR paid = total", name="settled"),
        CheckConstraint("status <> 'voided' OR paid = 0", name="voided"),
        Index("ix_orders_status_id", "status", "id"),
        Index("ix_orders_settled_on", "settled_on", postgresql_where="settled_on IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[int]
    business_date: Mapped[date] = mapped_column(Date)
    type: Mapped[str] = mapped_column(Text)
    table_id: Mapped[int | None] = mapped_column(ForeignKey("restaurant_tables.id"))
    guests: Mapped[int | None]
    customer_name: Mapped[str | None] = mapped_column(Text)
    customer_phone: Mapped[str | None] = mapped_column(Text)
    customer_address: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    subtotal: Mapped[int] = mapped_column(BigInteger)
    discount: Mapped[int] = mapped_column(BigInteger)
    service_charge: Mapped[int] = mapped_column(BigInteger)
    service_rate: Mapped[int | None]
    """In basis points, as `tax_rate`: those of its moment. NULL in rows of the version before."""
    tax_rate: Mapped[int | None]
    tax: Mapped[int] = mapped_column(BigInteger)
    rounding: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    paid: Mapped[int] = mapped_column(BigInteger)
    settled_on: Mapped[date | None] = mapped_column(Date)
    """The business date on which it was paid to the end; NULL while it is not."""
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)

    lines: Mapped[list[OrderLine]] = relationship(order_by="OrderLine.position", lazy="raise")
    voids: Mapped[list[Void]] = relationship(order_by="Void.id", lazy="raise")


class OrderLine(Base):
    """A dish with the name and the price of its moment."""

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("unit_price >= 0 AND modifiers_price >= 0", name="price"),
        CheckConstraint("total = (unit_price + modifiers_price) * quantity", name="total"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    position: Mapped[int]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("product_variants.id"))
    name: Mapped[str] = mapped_column(Text)
    unit_price: Mapped[int] = mapped_column(BigInteger)
    modifiers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    modifiers_price: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int]
    note: Mapped[str | None] = mapped_column(Text)
    total: Mapped[int] = mapped_column(BigInteger)


class Void(Base):
    """A line, or a whole order, that is not to be paid any more: who, and why. Only ever added; a
    trigger makes the order `voided`."""

    __tablename__ = "voids"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("btrim(reason) <> ''", name="reason"),
        Index("uq_voids_whole_order", "order_id", unique=True, postgresql_where="line_id IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    line_id: Mapped[int | None] = mapped_column(ForeignKey("order_lines.id"), unique=True)
    """NULL for the whole order."""
    amount: Mapped[int] = mapped_column(BigInteger)
    """Rupiah by which the bill is less, with service charge and tax."""
    reason: Mapped[str] = mapped_column(Text)
    voided_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    approved_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    business_date: Mapped[date] = mapped_column(Date, index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
