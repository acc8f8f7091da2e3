"""Taking money; what was taken by mistake is undone in `reversals`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.orders import service as orders
from posapp.features.orders import states
from posapp.features.orders.numbers import allocate_number
from posapp.features.payments.models import Payment
from posapp.features.payments.schemas import NewPayment, PaymentView
from posapp.features.payments.tender import is_absurd, tender
from posapp.features.restaurant import service as restaurant
from posapp.http.errors import Invalid


def pay(
    session: Session, order_id: int, new: NewPayment, user_id: int, now: datetime
) -> PaymentView:
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
    if not new.confirmed and is_absurd(due, given.tendered):
        raise Invalid(
            "tendered",
            f"is more than ten times the {due} that is due; is it right?",
            question="confirm_tendered",
        )
    day = settings.business_date(now)
    payment = Payment(
        order_id=order.id,
        method=new.method,
        amount=given.amount,
        tendered=given.tendered,
        change=given.change,
        rounding=given.rounding,
        reference=new.reference,
        business_date=day,
        receipt_number=allocate_number(session, "receipt", day, user_id, now),
        created_by=user_id,
        created_at=now,
    )
    session.add(payment)
    session.flush()
    orders.mark_paid_if_settled(session, order, day)
    audit.record(
        session,
        user_id,
        "payment.taken",
        "payment",
        payment.id,
        now,
        order_id=order.id,
        method=payment.method,
        amount=payment.amount,
    )
    return PaymentView.model_validate(
        {name: getattr(payment, name) for name in PaymentView.model_fields}
    )
