"""Payments as they go over the wire. Money is whole rupiah."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictInt

from posapp.features.idempotency.service import Resendable
from posapp.http.schemas import ApiModel

Method = Literal["cash", "qris", "card"]
Amount = Annotated[StrictInt, Field(ge=0, le=10**12)]


class NewPayment(Resendable):
    LATER_FIELDS: ClassVar[frozenset[str]] = frozenset({"expected_total", "confirmed"})

    method: Method
    amount: Amount
    """What goes to the bill; in cash, `cash_due` of the order settles it."""
    tendered: Amount | None = None
    """Cash that the guest hands over; the amount when left out."""
    expected_total: Amount | None = None
    """The total of the order that the guest was told; when it differs, 409 with the new quote."""
    confirmed: Annotated[bool, Field(strict=True)] = False
    """Whether somebody has looked at cash of more than ten times the amount due."""


class PaymentView(ApiModel):
    id: int
    order_id: int
    method: Method
    amount: int
    tendered: int
    change: int
    receipt_number: int
    """Without gaps or twins within its business date."""
