"""The effect of a payment on a bill: a pure rule, in whole rupiah."""

from __future__ import annotations

from dataclasses import dataclass

from posapp.features.orders.totals import round_to_cash
from posapp.http.errors import Invalid

ABSURD = 10
"""Times the amount due. A note of Rp 100.000 for a water is possible, so it is a question."""


@dataclass(frozen=True, slots=True)
class Tender:
    """`amount` goes to the bill, `change` back to the guest; `rounding` moves the bill's total."""

    amount: int
    tendered: int
    change: int
    rounding: int = 0


def tender(due: int, method: str, amount: int, tendered: int | None, step: int) -> Tender:
    """Takes `amount` of a bill of which `due` >= 0 is open.

    Cash settles a bill at `due` rounded to `step`, also where that is nothing, or at `due` itself
    when the till asks for exactly that; cash beyond it is change. Parts in cash are coins that
    exist: multiples of `step`. Any other method pays at most what is due, exactly. Raises Invalid.
    """
    if method != "cash":
        return _exact(due, amount, tendered)
    given = amount if tendered is None else tendered
    if given < amount:
        raise Invalid("tendered", "is less than the amount")
    if amount == due:
        return Tender(amount, given, given - amount)
    settled = round_to_cash(due, step)
    for field, value in (("amount", amount), ("tendered", given)):
        if value % step:
            raise Invalid(field, f"is no sum of coins; in cash it is a multiple of {step}")
    if amount < min(due, settled):
        if amount == 0:
            raise Invalid("amount", f"is nothing; {settled} is due in cash")
        return Tender(amount, given, given - amount)
    return Tender(settled, given, given - settled, settled - due)


def is_absurd(due: int, tendered: int) -> bool:
    """Whether cash is so much more than the amount due that a slip of the finger is likely."""
    return tendered > ABSURD * due


def _exact(due: int, amount: int, tendered: int | None) -> Tender:
    if amount > due:
        raise Invalid("amount", f"is more than is due ({due})")
    if amount == 0:
        raise Invalid("amount", "is nothing; only cash settles a rest that rounds to nothing")
    if tendered not in (None, amount):
        raise Invalid("tendered", "is for cash only")
    return Tender(amount, amount, 0)
