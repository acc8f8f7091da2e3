"""Payments as they go over the wire. Money is whole rupiah."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from posapp.http.schemas import ApiModel

Method = Literal["cash", "qris", "card"]
Amount = Annotated[StrictInt, Field(ge=0, le=10**12)]


class NewPayment(ApiModel):
    method: Method
    amount: Amount
    """What goes to the bill; in cash, `cash_due` of the order settles it."""
    tendered: Amount | None = None
    """Cash that the guest hands over; the amount when left out."""


class PaymentView(ApiModel):
    id: int
    order_id: int
    method: Method
    amount: int
    tendered: int
    change: int
    receipt_number: int
    """Without gaps or twins within its business date."""
