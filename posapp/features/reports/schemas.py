"""Reports as they go over the wire. Money is whole rupiah."""

from __future__ import annotations

import datetime

from posapp.features.orders.schemas import Sales, VoidSums
from posapp.features.payments.schemas import Carried, MethodSums, Receipts
from posapp.http.schemas import ApiModel, Day


class DayQuery(ApiModel):
    date: Day | None = None
    """A business date; today's when left out."""


class DayReport(ApiModel):
    """`received` = `sales.total` + `carried.unsettled` - `carried.earlier`."""

    date: datetime.date
    today: bool
    """Whether the day is still under way, and the sums may grow."""
    received: int
    """All methods together, what was undone left out."""
    methods: list[MethodSums]
    receipts: Receipts
    sales: Sales
    carried: Carried
    voids: VoidSums
