"""The sums of a business date, from the features that have them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from posapp.features.orders import days as orders
from posapp.features.payments import days as payments
from posapp.features.reports.schemas import DayReport
from posapp.features.restaurant import service as restaurant


def day_report(session: Session, day: date | None, now: datetime) -> DayReport:
    """Returns the sums of a business date, or of the one that `now` belongs to."""
    today = restaurant.restaurant_settings(session).business_date(now)
    day = day or today
    methods = payments.by_method(session, day)
    return DayReport(
        date=day,
        today=day == today,
        received=sum(method.amount for method in methods),
        methods=methods,
        receipts=payments.receipts(session, day),
        sales=orders.sales(session, day),
        carried=payments.carried(session, day),
        voids=orders.voids(session, day),
    )
