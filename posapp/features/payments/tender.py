"""The effect of a payment on a bill: a pure rule, in whole rupiah."""

from __future__ import annotations

from dataclasses import dataclass

from posapp.features.orders.totals import round_to_cash
from posapp.http.errors import Invalid, said

ABSURD = 10
"""Times the amount due. A note of Rp 100.000 for a water is possible, so it is a question."""

_LARGEST_NOTE = 100_000
_LARGE_CHANGE = 1_000_000
"""More than it, beyond the bill in the largest notes, is a question as well."""

MOST_CHANGE = 20_000_000
"""Rupiah that no till gives back, whatever anybody confirms."""


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
        raise Invalid("tendered", "is less than the amount", **said("tendered_less"))
    if amount == due:
        return Tender(amount, given, given - amount)
    settled = round_to_cash(due, step)
    for field, value in (("amount", amount), ("tendered", given)):
        if value % step:
            extension = said("no_coins", step=step)
            raise Invalid(
                field, f"is no sum of coins; in cash it is a multiple of {step}", **extension
            )
    if amount < min(due, settled):
        if amount == 0:
            extension = said("amount_nothing", due=settled)
            raise Invalid("amount", f"is nothing; {settled} is due in cash", **extension)
        return Tender(amount, given, given - amount)
    return Tender(settled, given, given - settled, settled - due)


def is_absurd(due: int, tendered: int) -> bool:
    """Whether cash is so much more than the amount due that a slip of the finger is likely."""
    in_notes = -(-due // _LARGEST_NOTE) * _LARGEST_NOTE
    return tendered > min(ABSURD * due, in_notes + _LARGE_CHANGE)


def refuse_impossible(due: int, tendered: int) -> None:
    """Raises Invalid for cash beyond what a till can give back."""
    if tendered - due > MOST_CHANGE:
        raise Invalid(
            "tendered",
            f"is {tendered}; no till gives back more than {MOST_CHANGE}",
            **said("tendered_impossible", tendered=tendered, most=MOST_CHANGE),
        )


def _exact(due: int, amount: int, tendered: int | None) -> Tender:
    if amount > due:
        raise Invalid("amount", f"is more than is due ({due})", **said("more_than_due", due=due))
    if amount == 0:
        extension = said("amount_nothing", due=due)
        raise Invalid(
            "amount", "is nothing; only cash settles a rest that rounds to nothing", **extension
        )
    if tendered not in (None, amount):
        raise Invalid("tendered", "is for cash only")
    return Tender(amount, amount, 0)
