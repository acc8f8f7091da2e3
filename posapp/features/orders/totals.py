"""The totals of an order: one function, in whole rupiah.

`total = lines - discount + service charge + tax + rounding`. The service charge is on the price
before or after the discount, as the restaurant has set it; PB1 is on top of the charge (Jakarta's
rule: 100,000 less 20 %, 5 % service on the undiscounted price, 10 % tax on 85,000, makes 93,500).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from posapp.features.restaurant.service import RestaurantSettings

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Totals:
    """Rupiah."""

    subtotal: int
    discount: int
    service_charge: int
    tax: int
    rounding: int = 0

    @property
    def total(self) -> int:
        return self.subtotal - self.discount + self.service_charge + self.tax + self.rounding


def compute_totals(lines: Iterable[int], discount: int, settings: RestaurantSettings) -> Totals:
    """Computes the totals of an order from those of its lines; 0 <= discount <= their sum."""
    subtotal = sum(lines)
    discounted = subtotal - discount
    base = discounted if settings.service_on_discounted else subtotal
    service_charge = apply_rate(base, settings.service_rate)
    tax = apply_rate(discounted + service_charge, settings.tax_rate)
    return Totals(subtotal, discount, service_charge, tax)


def apply_rate(amount: int, basis_points: int) -> int:
    """Applies a rate to an amount >= 0, rounded half up to the rupiah."""
    return (amount * basis_points + BASIS_POINTS // 2) // BASIS_POINTS


def round_to_cash(amount: int, step: int) -> int:
    """Rounds an amount >= 0 to the nearest multiple of `step`, half up: the amount due in cash.

    Permendag 35/2013 lets a shop round to money that circulates, if it says so at payment.
    """
    return (amount + step // 2) // step * step
