"""The sums of a business date: what was sold, and what was voided."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from posapp.features.orders.models import Order, Void
from posapp.features.orders.schemas import Sales, VoidSums

_SUMS = ("subtotal", "discount", "service_charge", "tax", "rounding", "total")


def sales(session: Session, day: date) -> Sales:
    """Returns the sums of the bills that were settled on a business date."""
    columns = [func.coalesce(func.sum(getattr(Order, name)), 0).label(name) for name in _SUMS]
    query = select(func.count().label("orders"), *columns).where(Order.settled_on == day)
    return Sales.model_validate(dict(session.execute(query).one()._mapping))


def voids(session: Session, day: date) -> VoidSums:
    """Returns how much was voided on a business date: whole orders, and lines of others."""
    whole = Void.line_id.is_(None)
    query = select(
        func.count().filter(whole).label("orders"),
        func.count().filter(~whole).label("lines"),
        func.coalesce(func.sum(Void.amount), 0).label("amount"),
    ).where(Void.business_date == day)
    return VoidSums.model_validate(dict(session.execute(query).one()._mapping))


def settled_ids(session: Session, day: date) -> list[int]:
    """Returns the ids of the orders that were settled on a business date."""
    return list(session.scalars(select(Order.id).where(Order.settled_on == day)))
