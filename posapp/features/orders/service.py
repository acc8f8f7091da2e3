"""Orders. Each function is one act in the caller's transaction; taking one is in `create`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import cast

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, selectinload

from posapp.features.auth import accounts
from posapp.features.floor import service as floor
from posapp.features.orders import states
from posapp.features.orders.models import Order
from posapp.features.orders.pricing import price, require_total
from posapp.features.orders.schemas import (
    LineView,
    NewOrder,
    OrderQuery,
    OrderSummary,
    OrderType,
    OrderView,
    Quote,
    VoidView,
)
from posapp.features.orders.states import Action, OrderState
from posapp.features.orders.terms import current_terms
from posapp.features.orders.totals import round_to_cash
from posapp.features.restaurant import service as restaurant
from posapp.features.restaurant.service import RestaurantSettings
from posapp.http.errors import Conflict, NotFound, said

_FIGURE = re.compile("(?:rp|no)?[ .,0-9]*", re.IGNORECASE)
"""A number or a sum as people write it."""


def quote(session: Session, new: NewOrder) -> Quote:
    """Prices an order without storing it. Raises Invalid for what cannot be ordered."""
    return price(new, current_terms(session))


def get(session: Session, order_id: int) -> OrderView:
    """Raises NotFound."""
    order = load(session, order_id)
    return view(order, restaurant.restaurant_settings(session), void_views(session, order))


def list_orders(session: Session, asked: OrderQuery, limit: int) -> list[OrderSummary]:
    """Returns the newest orders in a state, as many as `limit`, that fit what is asked."""
    query = select(Order).where(Order.status == asked.status).order_by(Order.id.desc())
    if asked.cursor is not None:
        query = query.where(Order.id < asked.cursor)
    if asked.settled_on is not None:
        query = query.where(Order.settled_on == asked.settled_on)
    if asked.search:
        query = query.where(_fits(session, asked.search))
    orders = session.scalars(query.limit(limit)).all()
    names = accounts.usernames(session, (order.created_by for order in orders))
    return [
        OrderSummary(
            id=order.id,
            number=order.number,
            status=cast(OrderState, order.status),
            type=cast(OrderType, order.type),
            table_id=order.table_id,
            guests=order.guests,
            customer_name=order.customer_name,
            total=order.total,
            due=due_of(order),
            created_at=order.created_at,
            business_date=order.business_date,
            taken_by=names[order.created_by],
        )
        for order in orders
    ]


def _fits(session: Session, search: str) -> ColumnElement[bool]:
    """The condition that an order's number, total or table is what somebody searches for."""
    found: list[ColumnElement[bool]] = [Order.table_id.in_(floor.table_ids_named(session, search))]
    digits = re.sub("[^0-9]", "", search) if _FIGURE.fullmatch(search) else ""
    if digits:  # however many: PostgreSQL compares with more than a column holds
        found += [Order.total == int(digits), Order.number == int(digits)]
    return or_(*found)


def newest_at(session: Session) -> datetime | None:
    """Returns the latest moment at which an order was taken, or None."""
    return session.scalar(select(func.max(Order.created_at)))


def open_by_table(session: Session) -> Mapping[int, list[int]]:
    """Returns the ids of the open orders by table."""
    found: dict[int, list[int]] = {}
    query = select(Order.table_id, Order.id).where(Order.status == "open").order_by(Order.id)
    for table_id, order_id in session.execute(query):
        if table_id is not None:
            found.setdefault(table_id, []).append(order_id)
    return found


def lock(session: Session, order_id: int) -> Order:
    """Returns the order, locked until the transaction ends. Raises NotFound."""
    order = session.scalar(select(Order).where(Order.id == order_id).with_for_update())
    if order is None:
        raise NotFound(f"There is no order {order_id}.", said("no_such_order"))
    return order


def lock_for(session: Session, order_id: int, action: Action) -> Order:
    """Returns the order, locked until the transaction ends.

    Raises NotFound, and Conflict for one to which this cannot be done any more.
    """
    order = lock(session, order_id)
    if not states.is_allowed(action, order.status):
        extension = said(f"order_{order.status}", number=order.number)
        raise Conflict(f"Order {order.number} is {order.status} already.", extension)
    return order


def require_expected_total(session: Session, order: Order, expected: int | None) -> None:
    """Raises PriceChanged where the total of an order is not the one that the guest was told."""
    if expected not in (None, order.total):
        found = load(session, order.id)
        known = view(found, restaurant.restaurant_settings(session), [])
        voided = {void.line_id for void in found.voids}
        known.lines[:] = [line for line in known.lines if line.id not in voided]
        quoted = known.model_dump(
            include=set(Quote.model_fields), exclude={"lines": {"__all__": {"id"}}}
        )
        require_total(expected, Quote.model_validate(quoted))


def mark_paid_if_settled(session: Session, order: Order, day: date) -> None:
    """Marks an order as paid when its payments reach its total."""
    session.refresh(order, ["paid", "rounding", "total"])  # the database has added the payment
    if order.paid >= order.total:
        mark_paid(session, order, day)


def mark_paid(session: Session, order: Order, day: date) -> None:
    """Marks an order as paid whose payments, that of this moment included, make its total."""
    order.status, order.settled_on = states.PAY.after, day
    session.flush()


def due_of(order: Order) -> int:
    """Returns what is left to pay, in rupiah."""
    return 0 if order.status == states.VOID.after else order.total - order.paid


def view(order: Order, settings: RestaurantSettings, voids: list[VoidView]) -> OrderView:
    due = due_of(order)
    return OrderView(
        id=order.id,
        number=order.number,
        business_date=order.business_date,
        status=cast(OrderState, order.status),
        type=cast(OrderType, order.type),
        table_id=order.table_id,
        guests=order.guests,
        customer_name=order.customer_name,
        customer_phone=order.customer_phone,
        customer_address=order.customer_address,
        created_at=order.created_at,
        lines=[LineView.model_validate(line, from_attributes=True) for line in order.lines],
        voids=voids,
        subtotal=order.subtotal,
        discount=order.discount,
        service_charge=order.service_charge,
        tax=order.tax,
        service_rate=order.service_rate,
        tax_rate=order.tax_rate,
        rounding=order.rounding,
        total=order.total,
        paid=order.paid,
        due=due,
        cash_due=round_to_cash(due, settings.cash_rounding),
    )


def void_views(session: Session, order: Order) -> list[VoidView]:
    """Returns the voids of an order with the names of who did and approved them."""
    names = accounts.usernames(
        session, (id for void in order.voids for id in (void.voided_by, void.approved_by))
    )
    return [
        VoidView(
            line_id=void.line_id,
            amount=void.amount,
            reason=void.reason,
            voided_by=names[void.voided_by],
            approved_by=names[void.approved_by],
            at=void.created_at,
        )
        for void in order.voids
    ]


def load(session: Session, order_id: int) -> Order:
    """Returns an order with its lines and voids. Raises NotFound."""
    options = (selectinload(Order.lines), selectinload(Order.voids))
    query = select(Order).options(*options).where(Order.id == order_id)
    order = session.scalar(query)
    if order is None:
        raise NotFound(f"There is no order {order_id}.", said("no_such_order"))
    return order
