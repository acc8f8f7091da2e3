"""Payments. Rows are only ever added; triggers see to it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from posapp.database.base import Base


class Payment(Base):
    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("business_date", "receipt_number"),
        CheckConstraint("method IN ('cash', 'qris', 'card')", name="method"),
        CheckConstraint("amount > 0 OR (amount = 0 AND method = 'cash')", name="amount"),
        CheckConstraint("change = tendered - amount AND change >= 0", name="change"),
        CheckConstraint("method = 'cash' OR change = 0", name="cash_change"),
        CheckConstraint("rounding = 0 OR method = 'cash'", name="rounding"),
        CheckConstraint("reference IS NULL OR method <> 'cash'", name="reference"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    method: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(BigInteger)
    tendered: Mapped[int] = mapped_column(BigInteger)
    change: Mapped[int] = mapped_column(BigInteger)
    rounding: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """What this payment moved the order's total by; a trigger does it."""
    reference: Mapped[str | None] = mapped_column(Text)
    """The number that the card terminal or the QRIS provider gave."""
    business_date: Mapped[date] = mapped_column(Date)
    receipt_number: Mapped[int]
    """Without gaps or twins within its business date."""
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class ReceiptPrint(Base):
    """A receipt that went to paper: the first is the guest's, each later one a copy. Only ever
    added."""

    __tablename__ = "receipt_prints"
    __table_args__ = (
        UniqueConstraint("payment_id", "copy"),
        CheckConstraint("copy >= 0", name="copy"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    """The one that settled the bill: paid anew, a bill has a new receipt."""
    copy: Mapped[int]
    """0 for the guest's own."""
    printed_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PaymentReversal(Base):
    """A payment that was a mistake, undone on its own business day. Only ever added; a trigger
    takes the payment off its order, which is open again."""

    __tablename__ = "payment_reversals"
    __table_args__ = (CheckConstraint("btrim(reason) <> ''", name="reason"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), unique=True)
    reason: Mapped[str] = mapped_column(Text)
    reversed_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    approved_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    business_date: Mapped[date] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
