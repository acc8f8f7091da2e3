"""Taking money; what was taken by mistake is undone in `reversals`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from posapp.features.orders import service as orders
from posapp.features.orders import states
from posapp.features.orders.numbers import next_number, skip_taken
from posapp.features.payments.schemas import NewPayment, TakenPayment
from posapp.features.payments.tender import is_absurd, refuse_impossible, tender
from posapp.features.restaurant import service as restaurant
from posapp.http.errors import Invalid
from posapp.observability.context import request_id

# All tills of a day wait for the counter's row, so number, payment and audit row are one statement.
_TAKE = text(
    f"""
    WITH allotted AS ({next_number("receipt")}),
    taken AS (
        INSERT INTO payments (order_id, method, amount, tendered, change, rounding, reference,
            business_date, receipt_number, created_by, created_at)
        SELECT :order_id, :method, :amount, :tendered, :change, :rounding, :reference, :day, last,
            :user_id, :now
        FROM allotted
        RETURNING id, receipt_number),
    audited AS (
        INSERT INTO audit_log (at, user_id, action, entity, entity_id, request_id, details)
        SELECT :now, :user_id, 'payment.taken', 'payment', id, :request_id,
            jsonb_build_object('order_id', :order_id, 'method', :method, 'amount', :amount)
        FROM taken)
    SELECT id, receipt_number FROM taken
    """  # noqa: S608  all of it stands here and in `numbers`
)


def pay(
    session: Session, order_id: int, new: NewPayment, user_id: int, now: datetime
) -> TakenPayment:
    """One payment of an order, which is paid when the payments reach its total.

    Raises NotFound, Conflict for an order that is paid already, PriceChanged where the total is
    not the expected one, and Invalid for a sum that does not fit the bill.
    """
    if new.reference is not None and new.method == "cash":
        raise Invalid("reference", "is for cards and QRIS")
    order = orders.lock_for(session, order_id, states.PAY)
    settings = restaurant.restaurant_settings(session)
    orders.require_expected_total(session, order, new.expected_total)
    due = order.total - order.paid
    given = tender(due, new.method, new.amount, new.tendered, settings.cash_rounding)
    refuse_impossible(due, given.tendered)
    if not new.confirmed and is_absurd(due, given.tendered):
        raise Invalid(
            "tendered",
            f"is far more than the {due} that is due; is it right?",
            question="confirm_tendered",
        )
    day = settings.business_date(now)
    left = order.total + given.rounding - order.paid - given.amount
    taken = {
        "order_id": order.id,
        "method": new.method,
        "amount": given.amount,
        "tendered": given.tendered,
        "change": given.change,
    }
    rest = {"rounding": given.rounding, "reference": new.reference}
    payment_id, receipt_number = _take(session, {**taken, **rest}, day, user_id, now)
    if left == 0:
        orders.mark_paid(session, order, day)
    numbers = {"id": payment_id, "receipt_number": receipt_number}
    return TakenPayment(**taken, **numbers, reference=new.reference, rest=left)


def _take(
    session: Session, payment: dict[str, Any], day: date, user_id: int, now: datetime
) -> tuple[int, int]:
    """Writes a payment under the next number; returns its id and that number."""
    given = {
        **payment,
        "day": day,
        "user_id": user_id,
        "now": now,
        "request_id": request_id.get(),
    }
    row = session.execute(_TAKE, given).first()
    if row is None:
        skip_taken(session, "receipt", day, now)
        row = session.execute(_TAKE, given).one()
    return row.id, row.receipt_number
