"""The effect of a payment on a bill: a pure rule, in whole rupiah."""

from __future__ import annotations

from dataclasses import dataclass

from posapp.features.orders.totals import round_to_cash
from posapp.http.errors import Invalid


@dataclass(frozen=True, slots=True)
class Tender:
    """`amount` goes to the bill, `change` back to the guest; `rounding` moves the bill's total."""

    amount: int
    tendered: int
    change: int
    rounding: int = 0


def tender(due: int, method: str, amount: int, tendered: int | None, step: int) -> Tender:
    """Takes `amount` of a bill of which `due` > 0 is open.

    Cash settles a bill at `due` rounded to `step`, or at `due` itself when the till asks for
    exactly that; cash beyond it is change. Any other method pays at most what is due, exactly.
    Raises Invalid.
    """
    if method != "cash":
        if amount > due:
            raise Invalid("amount", f"is more than is due ({due})")
        if tendered not in (None, amount):
            raise Invalid("tendered", "is for cash only")
        return Tender(amount, amount, 0)
    given = amount if tendered is None else tendered
    if given < amount:
        raise Invalid("tendered", "is less than the amount")
    rounded = round_to_cash(due, step)
    if amount < min(due, rounded) or amount == due:
        return Tender(amount, given, given - amount)
    # A bill under half a step rounds to nothing; it is paid as it is.
    settled = rounded or due
    if given < settled:
        raise Invalid("tendered", f"is less than is due in cash ({settled})")
    return Tender(settled, given, given - settled, settled - due)
