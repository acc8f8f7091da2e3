"""The rules of the house: rates, rounding, and which day a sale belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from posapp.features.restaurant.models import Restaurant

JAKARTA = ZoneInfo("Asia/Jakarta")


@dataclass(frozen=True, slots=True)
class House:
    """Rates in basis points (500 is 5 %), money in rupiah."""

    service_rate: int = 500
    tax_rate: int = 1000
    service_on_discounted: bool = False
    cash_rounding: int = 100
    day_starts: time = time(4)
    zone: ZoneInfo = JAKARTA

    def business_date(self, moment: datetime) -> date:
        """The day that a sale belongs to: before `day_starts` it is still the one before."""
        local = moment.astimezone(self.zone)
        return local.date() if local.time() >= self.day_starts else local.date() - timedelta(days=1)


def house(session: Session) -> House:
    """The settings of now; the defaults of House where none have been made."""
    row = session.scalar(select(Restaurant))
    if row is None:
        return House()
    return House(
        service_rate=row.service_rate,
        tax_rate=row.tax_rate,
        service_on_discounted=row.service_base == "after_discount",
        cash_rounding=row.cash_rounding,
        day_starts=row.day_starts,
        zone=ZoneInfo(row.timezone),
    )
