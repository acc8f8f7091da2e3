"""Payments as they go over the wire. Money is whole rupiah."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, StrictInt

from posapp.features.idempotency.service import Resendable
from posapp.features.orders.schemas import OrderPath, OrderView
from posapp.features.restaurant.schemas import RestaurantView
from posapp.http.pages import Page
from posapp.http.schemas import ApiModel, Line

Method = Literal["cash", "qris", "card"]
METHODS: tuple[Method, ...] = get_args(Method)
Amount = Annotated[StrictInt, Field(ge=0, le=10**12)]
Reference = Annotated[str, Line(64, min_length=1)]


class NewPayment(Resendable):
    LATER_FIELDS: ClassVar[frozenset[str]] = frozenset({"expected_total", "confirmed", "reference"})

    method: Method
    amount: Amount
    """What goes to the bill; in cash, `cash_due` of the order settles it."""
    tendered: Amount | None = None
    """Cash that the guest hands over; the amount when left out."""
    expected_total: Amount | None = None
    """The total of the order that the guest was told; when it differs, 409 with the new quote."""
    reference: Reference | None = None
    """The number that the card terminal or the QRIS provider gave; not for cash."""
    confirmed: Annotated[bool, Field(strict=True)] = False
    """Whether somebody has looked at cash that is far more than the amount due: ten times it, or a
    million more than its largest notes."""


class PaymentView(ApiModel):
    id: int
    order_id: int
    method: Method
    amount: int
    tendered: int
    change: int
    reference: str | None
    receipt_number: int
    """Without gaps or twins within its business date."""


class TakenPayment(PaymentView):
    rest: int
    """What was left to pay after it; with nothing the bill is settled."""


class PaymentPath(OrderPath):
    payment_id: Annotated[int, Field(ge=1, le=2**63 - 1)]


class ReversalView(ApiModel):
    reason: str
    reversed_by: str
    """A user name, like `approved_by`."""
    approved_by: str
    at: datetime


class PaymentDetails(PaymentView):
    business_date: date
    taken_by: str
    """A user name."""
    at: datetime
    reversal: ReversalView | None
    """Set when it was a mistake and has been undone."""


class PaymentList(Page):
    payments: list[PaymentDetails]


class ReceiptView(ApiModel):
    """A bill as it goes to paper."""

    restaurant: RestaurantView
    order: OrderView
    table: str | None
    taken_by: str
    """A user name."""
    payments: list[PaymentDetails]
    """Those that were not undone."""
    change: int
    prints: int
    """How often this receipt went to paper, this time included: from the second on it is a copy."""
    at: datetime


class NewPrint(Resendable):
    """Nothing needs to be said."""


class MethodSums(ApiModel):
    method: Method
    count: int
    amount: int
    """Taken and not undone."""
    undone_count: int
    undone_amount: int

    @classmethod
    def nothing(cls, method: Method) -> Self:
        return cls(method=method, count=0, amount=0, undone_count=0, undone_amount=0)


class Receipts(ApiModel):
    count: int
    """Those of undone payments included: they keep their number."""
    first: int | None
    last: int | None


class Carried(ApiModel):
    """The money of a business date = the bills settled on it + `unsettled` - `earlier`."""

    unsettled: int
    """Parts of bills that were not settled on that date."""
    earlier: int
    """Parts that were taken on other dates, of bills that were settled on this one."""
