"""Undoing a payment that was a mistake, and reading the payments of an order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from posapp.features.audit import service as audit
from posapp.features.auth import accounts
from posapp.features.auth.approvals import Approved
from posapp.features.orders import service as orders
from posapp.features.orders import states
from posapp.features.payments.models import Payment, PaymentReversal
from posapp.features.payments.schemas import PaymentDetails, PaymentView, ReversalView
from posapp.features.restaurant import service as restaurant
from posapp.http.errors import Conflict, NotFound, said

_TAKEN = set(PaymentView.model_fields) | {"business_date"}


def undo(session: Session, order_id: int, payment_id: int, approved: Approved) -> PaymentDetails:
    """Undoes a payment of the same business day by a row of its own; the order is open again.

    Raises NotFound, and Conflict for a payment that is undone already or of another day, and for a
    voided order.
    """
    order = orders.lock_for(session, order_id, states.UNDO_PAYMENT)
    payment = session.get(Payment, payment_id)
    if payment is None or payment.order_id != order.id:
        raise NotFound(f"Order {order.number} has no payment {payment_id}.")
    if session.scalar(select(PaymentReversal.id).where(PaymentReversal.payment_id == payment_id)):
        extension = said("payment_undone", receipt=payment.receipt_number)
        raise Conflict(f"Payment {payment.receipt_number} is undone already.", extension)
    day = restaurant.restaurant_settings(session).business_date(approved.at)
    if payment.business_date != day:
        raise Conflict(
            f"Payment {payment.receipt_number} is of {payment.business_date}; only on the same"
            " business day can a payment be undone.",
            said("payment_of_another_day", receipt=payment.receipt_number),
        )
    session.add(
        PaymentReversal(
            payment_id=payment.id,
            reason=approved.reason,
            reversed_by=approved.user_id,
            approved_by=approved.approver_id,
            business_date=day,
            created_at=approved.at,
        )
    )
    session.flush()
    audit.record(
        session,
        approved.user_id,
        "payment.reversed",
        "payment",
        payment.id,
        approved.at,
        order_id=order.id,
        method=payment.method,
        amount=payment.amount,
        reason=approved.reason,
        approved_by=approved.approver_id,
    )
    return _details(session, [payment])[0]


def list_payments(
    session: Session, order_id: int, limit: int, after_id: int | None = None
) -> list[PaymentDetails]:
    """Returns the payments of an order, undone ones included, in the order in which they were
    taken; `after_id` is the cursor. Raises NotFound."""
    orders.load(session, order_id)
    query = select(Payment).where(Payment.order_id == order_id, Payment.id > (after_id or 0))
    return _details(session, session.scalars(query.order_by(Payment.id).limit(limit)).all())


def standing_payments(session: Session, order_id: int) -> list[PaymentDetails]:
    """Returns the payments of an order that were not undone, oldest first."""
    undone = select(PaymentReversal.id).where(PaymentReversal.payment_id == Payment.id).exists()
    query = select(Payment).where(Payment.order_id == order_id, ~undone).order_by(Payment.id)
    return _details(session, session.scalars(query).all())


def _details(session: Session, payments: Sequence[Payment]) -> list[PaymentDetails]:
    ids = [payment.id for payment in payments]
    query = select(PaymentReversal).where(PaymentReversal.payment_id.in_(ids))
    undone = {reversal.payment_id: reversal for reversal in session.scalars(query)}
    people = {payment.created_by for payment in payments}
    for reversal in undone.values():
        people |= {reversal.reversed_by, reversal.approved_by}
    names = accounts.usernames(session, people)
    return [
        PaymentDetails(
            **{name: getattr(payment, name) for name in _TAKEN},
            taken_by=names[payment.created_by],
            at=payment.created_at,
            reversal=_reversal(undone[payment.id], names) if payment.id in undone else None,
        )
        for payment in payments
    ]


def _reversal(reversal: PaymentReversal, names: dict[int, str]) -> ReversalView:
    return ReversalView(
        reason=reversal.reason,
        reversed_by=names[reversal.reversed_by],
        approved_by=names[reversal.approved_by],
        at=reversal.created_at,
    )
