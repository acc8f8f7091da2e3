"""Receipts: a bill with its payments as it goes to paper, and which of them is a copy."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.auth import accounts
from posapp.features.floor import service as floor
from posapp.features.orders import service as orders
from posapp.features.orders import states
from posapp.features.payments.models import ReceiptPrint
from posapp.features.payments.reversals import standing_payments
from posapp.features.payments.schemas import ReceiptView
from posapp.features.restaurant import service as restaurant
from posapp.http.errors import Conflict, said


def receipt(session: Session, order_id: int, now: datetime) -> ReceiptView:
    """Returns a bill as it would be printed, a paid one or not. Raises NotFound."""
    order = orders.load(session, order_id)
    payments = standing_payments(session, order_id)
    table = floor.table_name(session, order.table_id) if order.table_id else None
    last = payments[-1].id if payments else None
    prints = select(func.count()).select_from(ReceiptPrint).where(ReceiptPrint.payment_id == last)
    return ReceiptView(
        restaurant=restaurant.view(session, now),
        order=orders.get(session, order_id),
        table=table,
        taken_by=accounts.usernames(session, [order.created_by])[order.created_by],
        payments=payments,
        change=sum(payment.change for payment in payments),
        prints=session.execute(prints).scalar_one(),
        at=now,
    )


def print_receipt(session: Session, order_id: int, user_id: int, now: datetime) -> ReceiptView:
    """Counts a receipt that goes to paper, and returns it. Others wait: no two are the first.

    Raises NotFound, and Conflict for a bill that is not paid.
    """
    orders.lock(session, order_id)
    found = receipt(session, order_id, now)
    if found.order.status != states.PAY.after or not found.payments:
        number = found.order.number
        raise Conflict(f"Order {number} is not paid.", said("order_not_paid", number=number))
    payment_id = found.payments[-1].id
    session.add(
        ReceiptPrint(payment_id=payment_id, copy=found.prints, printed_by=user_id, created_at=now)
    )
    session.flush()
    audit.record(session, user_id, "receipt.printed", "payment", payment_id, now, copy=found.prints)
    return found.model_copy(update={"prints": found.prints + 1})
