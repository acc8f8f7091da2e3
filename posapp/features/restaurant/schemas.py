"""The restaurant as it goes over the wire. Rates are basis points: 500 is 5 %."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StrictInt

from posapp.http.schemas import ApiModel, Name

Rate = Annotated[StrictInt, Field(ge=0, le=10_000)]


class RestaurantView(ApiModel):
    name: str
    service_rate: int
    tax_name: str
    """As it stands on the bill."""
    tax_rate: int
    cash_rounding: int
    """Rupiah to which what is paid in cash is rounded."""
    business_date: date
    """Of this moment."""


class RestaurantChange(ApiModel):
    """A change of the house; what is left out stays."""

    name: Name | None = None
    tax_name: Name | None = None
    service_rate: Rate | None = None
    tax_rate: Rate | None = None
