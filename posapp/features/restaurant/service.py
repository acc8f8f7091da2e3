"""The settings of the restaurant: rates, rounding, and which business date a sale belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from posapp import JAKARTA
from posapp.features.audit import service as audit
from posapp.features.restaurant.models import Restaurant
from posapp.features.restaurant.schemas import RestaurantChange, RestaurantView


@dataclass(frozen=True, slots=True)
class RestaurantSettings:
    """Rates in basis points (500 is 5 %), money in rupiah."""

    name: str = "Steak Kenangan"
    service_rate: int = 500
    tax_rate: int = 1000
    tax_name: str = "PB1"
    service_on_discounted: bool = False
    cash_rounding: int = 100
    day_starts: time = time(4)
    zone: ZoneInfo = JAKARTA

    def business_date(self, moment: datetime) -> date:
        """Returns the date that a sale belongs to: before `day_starts`, the day before."""
        local = moment.astimezone(self.zone)
        return local.date() if local.time() >= self.day_starts else local.date() - timedelta(days=1)


def restaurant_settings(session: Session) -> RestaurantSettings:
    """The settings of now; the defaults of RestaurantSettings where none have been saved."""
    row = session.scalar(select(Restaurant))
    if row is None:
        return RestaurantSettings()
    return RestaurantSettings(
        name=row.name,
        service_rate=row.service_rate,
        tax_rate=row.tax_rate,
        tax_name=row.tax_name,
        service_on_discounted=row.service_base == "after_discount",
        cash_rounding=row.cash_rounding,
        day_starts=row.day_starts,
        zone=ZoneInfo(row.timezone),
    )


def save_settings(session: Session, settings: RestaurantSettings) -> None:
    """Writes the settings over those that are there."""
    session.merge(
        Restaurant(
            id=1,
            name=settings.name,
            service_rate=settings.service_rate,
            tax_rate=settings.tax_rate,
            tax_name=settings.tax_name,
            service_base="after_discount" if settings.service_on_discounted else "before_discount",
            cash_rounding=settings.cash_rounding,
            day_starts=settings.day_starts,
            timezone=settings.zone.key,
        )
    )


def view(session: Session, now: datetime) -> RestaurantView:
    """Returns what the screens and the receipt say of the house."""
    settings = restaurant_settings(session)
    return RestaurantView(
        name=settings.name,
        service_rate=settings.service_rate,
        tax_name=settings.tax_name,
        tax_rate=settings.tax_rate,
        cash_rounding=settings.cash_rounding,
        business_date=settings.business_date(now),
    )


def change(session: Session, change: RestaurantChange, user_id: int, now: datetime) -> None:
    """Changes name, tax and rates; orders that are open keep theirs."""
    changed = change.model_dump(exclude_none=True)
    save_settings(session, replace(restaurant_settings(session), **changed))
    audit.record(session, user_id, "restaurant.changed", "restaurant", 1, now, **changed)
