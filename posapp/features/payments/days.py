"""The money of a business date: by method, by receipt, and of which bills."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from posapp.features.orders import days as orders
from posapp.features.payments.models import Payment, PaymentReversal
from posapp.features.payments.schemas import METHODS, Carried, MethodSums, Receipts

_UNDONE = select(PaymentReversal.id).where(PaymentReversal.payment_id == Payment.id).exists()


def by_method(session: Session, day: date) -> list[MethodSums]:
    """Returns the payments of a business date, summed up for each method, none left out."""
    amount = func.coalesce(func.sum(Payment.amount).filter(~_UNDONE), 0)
    query = (
        select(
            Payment.method,
            func.count().filter(~_UNDONE).label("count"),
            amount.label("amount"),
            func.count().filter(_UNDONE).label("undone_count"),
            func.coalesce(func.sum(Payment.amount).filter(_UNDONE), 0).label("undone_amount"),
        )
        .where(Payment.business_date == day)
        .group_by(Payment.method)
    )
    found = {row.method: MethodSums(**row._mapping) for row in session.execute(query)}
    return [found.get(method, MethodSums.nothing(method)) for method in METHODS]


def receipts(session: Session, day: date) -> Receipts:
    """Returns how many receipts a business date has, those of undone payments included."""
    number = Payment.receipt_number
    query = select(
        func.count().label("count"), func.min(number).label("first"), func.max(number).label("last")
    ).where(Payment.business_date == day)
    return Receipts(**session.execute(query).one()._mapping)


def carried(session: Session, day: date) -> Carried:
    """Returns the parts by which a day's money and the bills settled on it differ."""
    of_settled = Payment.order_id.in_(orders.settled_ids(session, day))
    today = Payment.business_date == day
    total = func.coalesce(func.sum(Payment.amount), 0)
    unsettled = select(total).where(today, ~of_settled, ~_UNDONE)
    earlier = select(total).where(~today, of_settled, ~_UNDONE)
    return Carried(
        unsettled=session.execute(unsettled).scalar_one(),
        earlier=session.execute(earlier).scalar_one(),
    )
