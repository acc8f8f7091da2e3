"""Cancelling: an order that nobody has paid, or one of its lines. Number and audit stay."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.auth.approvals import Approved
from posapp.features.orders import service, states
from posapp.features.orders.models import Order, OrderLine, Void
from posapp.features.orders.schemas import OrderView
from posapp.features.orders.totals import compute_totals
from posapp.features.restaurant import service as restaurant
from posapp.features.restaurant.service import RestaurantSettings
from posapp.http.errors import Conflict, NotFound, said


def void_order(session: Session, order_id: int, approved: Approved) -> OrderView:
    """Voids an unpaid order, whose table is free then.

    Raises NotFound, and Conflict for one that is paid, in part or whole, or voided already.
    """
    order = service.lock_for(session, order_id, states.VOID)
    if order.paid:
        extension = said("order_paid_in_part", number=order.number)
        raise Conflict(f"Order {order.number} is paid in part; undo its payments first.", extension)
    _add(session, order, None, order.total, approved)
    session.refresh(order, ["status"])  # the database has made it voided
    return service.get(session, order_id)


def void_line(session: Session, order_id: int, line_id: int, approved: Approved) -> OrderView:
    """Voids a line of an open order, which is paid then if its payments make the new total.

    Raises NotFound, and Conflict for a line that is voided already or the last one, for an order
    that is not open, and where more has been paid than would be left to pay.
    """
    order = service.lock_for(session, order_id, states.VOID_LINE)
    line, others = _split(service.load(session, order_id), line_id)
    settings = restaurant.restaurant_settings(session)
    at_its_rates = _with_rates_of(order, settings)
    totals = compute_totals((other.total for other in others), order.discount, at_its_rates)
    before, total = order.total, totals.total + order.rounding
    if order.paid > total:
        raise Conflict(
            f"{order.paid} is paid, and the bill would be {total}; undo a payment first.",
            said("paid_more_than_left", paid=order.paid, total=total),
        )
    _add(session, order, line, before - total, approved)
    order.subtotal, order.total = totals.subtotal, total
    order.service_charge, order.tax = totals.service_charge, totals.tax
    session.flush()
    if order.paid:
        service.mark_paid_if_settled(session, order, settings.business_date(approved.at))
    return service.get(session, order_id)


def _with_rates_of(order: Order, settings: RestaurantSettings) -> RestaurantSettings:
    """Returns the settings with the rates by which an order was priced; they may be others now."""
    if order.service_rate is None or order.tax_rate is None:
        return settings
    return replace(settings, service_rate=order.service_rate, tax_rate=order.tax_rate)


def _split(order: Order, line_id: int) -> tuple[OrderLine, list[OrderLine]]:
    """Returns the line that is to go, and those that stay."""
    line = next((line for line in order.lines if line.id == line_id), None)
    if line is None:
        raise NotFound(f"Order {order.number} has no line {line_id}.")
    gone = {void.line_id for void in order.voids}
    if line.id in gone:
        raise Conflict(f"{line.name} is voided already.", said("line_voided", line=line.name))
    others = [other for other in order.lines if other.id not in gone and other is not line]
    if not others:
        raise Conflict(
            f"{line.name} is the last line of order {order.number}; void the order.",
            said("last_line", line=line.name, number=order.number),
        )
    return line, others


def _add(
    session: Session, order: Order, line: OrderLine | None, amount: int, approved: Approved
) -> None:
    day = restaurant.restaurant_settings(session).business_date(approved.at)
    session.add(
        Void(
            order_id=order.id,
            line_id=line.id if line else None,
            amount=amount,
            reason=approved.reason,
            voided_by=approved.user_id,
            approved_by=approved.approver_id,
            business_date=day,
            created_at=approved.at,
        )
    )
    session.flush()
    session.expire(order, ["voids"])
    audit.record(
        session,
        approved.user_id,
        "line.voided" if line else "order.voided",
        "order",
        order.id,
        approved.at,
        number=order.number,
        amount=amount,
        reason=approved.reason,
        approved_by=approved.approver_id,
        **({"line_id": line.id, "name": line.name} if line else {}),
    )
