"""OrderList as they go over the wire. Money is whole rupiah."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictInt, StringConstraints

from posapp.features.catalog.schemas import ModifierView
from posapp.features.idempotency.service import Resendable
from posapp.features.orders.states import OrderState
from posapp.http.pages import PAGE, Cursor, Page
from posapp.http.schemas import ApiModel, Day, Id, Line, Name, Note, Text

OrderType = Literal["dine_in", "takeaway", "delivery"]
Quantity = Annotated[StrictInt, Field(ge=1, le=999)]
MOST_GUESTS = 200
PHONE = r"^[+(]?[0-9][0-9 ()./-]{4,23}$"
Phone = Annotated[Text, StringConstraints(strip_whitespace=True, pattern=PHONE)]
Address = Annotated[str, Line(300, min_length=1)]


class NewLine(ApiModel):
    product_id: Id
    variant_id: Id | None = None
    """The first variant when left out."""
    modifier_ids: Annotated[tuple[Id, ...], Field(max_length=30)] = ()
    quantity: Quantity
    note: Note | None = None


class Guest(ApiModel):
    """For whom an order is, as far as it was asked."""

    guests: Annotated[StrictInt, Field(ge=1, le=MOST_GUESTS)] | None = None
    """How many people sit at the table; only with `dine_in`."""
    customer_name: Name | None = None
    customer_phone: Phone | None = None
    customer_address: Address | None = None
    """Only with `delivery`."""


class NewOrder(Resendable, Guest):
    LATER_FIELDS: ClassVar[frozenset[str]] = frozenset({"expected_total", *Guest.model_fields})

    type: OrderType
    table_id: Id | None = None
    """For `dine_in`, and needed there to send the order."""
    expected_total: Annotated[StrictInt, Field(ge=0, le=10**15)] | None = None
    """The total that the guest was told, from a quote; when it differs, 409 with the new quote."""
    lines: Annotated[list[NewLine], Field(min_length=1, max_length=200)]


class OrderPath(ApiModel):
    order_id: Annotated[int, Field(ge=1, le=2**63 - 1)]


class OrderQuery(ApiModel):
    status: OrderState = "open"
    settled_on: Day | None = None
    """The business date on which they were paid."""
    search: Annotated[str, Line(40)] | None = None
    """A number, a total ("139.000" as well) or the name of a table."""
    cursor: Cursor | None = None
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=200)] = PAGE
    """Pages of 200 are what clients of the first version may ask for."""


class QuoteLine(ApiModel):
    product_id: int
    variant_id: int | None
    name: str
    unit_price: int
    """Without the modifiers."""
    quantity: int
    modifiers: list[ModifierView]
    note: str | None
    total: int
    """(unit_price + modifiers) × quantity."""


class LineView(QuoteLine):
    id: int


class LinePath(OrderPath):
    line_id: Annotated[int, Field(ge=1, le=2**63 - 1)]


class VoidView(ApiModel):
    line_id: int | None
    """Null for the whole order."""
    amount: int
    """By which the bill is less, with service charge and tax."""
    reason: str
    voided_by: str
    """A user name, like `approved_by`."""
    approved_by: str
    at: datetime


class OrderTotals(ApiModel):
    subtotal: int
    discount: int
    service_charge: int
    tax: int
    rounding: int
    """What cash was rounded by; known once it has been paid."""
    total: int


class Rates(ApiModel):
    """Basis points, of the moment at which an order was priced: 500 is 5 %."""

    service_rate: int | None
    """Null, like `tax_rate`, where the version before took the order."""
    tax_rate: int | None


class Quote(OrderTotals, Rates, Guest):
    """The price of an order at this moment; nothing is stored."""

    type: OrderType
    table_id: int | None
    lines: list[QuoteLine]


class OrderView(OrderTotals, Rates, Guest):
    id: int
    number: int
    """Without gaps or twins within its business date."""
    business_date: date
    status: OrderState
    type: OrderType
    table_id: int | None
    created_at: datetime
    lines: list[LineView]
    """Voided ones included."""
    voids: list[VoidView]
    paid: int
    due: int
    """Nothing for a voided order."""
    cash_due: int
    """What is left to pay when all of it is paid in cash."""


class Sales(OrderTotals):
    """Sums of bills that were settled on one business date."""

    orders: int


class VoidSums(ApiModel):
    orders: int
    lines: int
    amount: int
    """By which bills are less, with service charge and tax."""


class OrderSummary(ApiModel):
    id: int
    number: int
    status: OrderState
    type: OrderType
    table_id: int | None
    guests: int | None
    customer_name: str | None
    total: int
    due: int
    created_at: datetime
    business_date: date
    taken_by: str
    """A user name."""


class OrderList(Page):
    orders: list[OrderSummary]
