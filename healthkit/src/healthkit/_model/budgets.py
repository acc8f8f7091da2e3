"""The values of service level objectives: what is promised, what was measured, what is left.

The windows and factors are those of Google's SRE workbook, chapter 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal
from zoneinfo import ZoneInfo

from healthkit._model.uptime import Uptime

Window = Literal["30d", "month"]
Hours = Mapping[str, Mapping[int, Uptime]]
"""By check, then by hour (counted from 1970)."""

ROLLING = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class BurnWindows:
    """Too much goes when both windows burn `factor` times as fast as the budget allows; `urgent`
    where somebody is to be woken for it."""

    long: timedelta
    short: timedelta
    factor: Fraction
    urgent: bool


BURN_WINDOWS = (
    BurnWindows(timedelta(hours=1), timedelta(minutes=5), Fraction("14.4"), urgent=True),
    BurnWindows(timedelta(hours=6), timedelta(minutes=30), Fraction(6), urgent=True),
    BurnWindows(timedelta(days=3), timedelta(hours=6), Fraction(1), urgent=False),
)
SPANS = tuple(sorted({span for one in BURN_WINDOWS for span in (one.long, one.short)}))


class BudgetState(StrEnum):
    """How a budget does."""

    OK = "ok"
    BURNING = "burning"
    """At this pace it does not last."""
    BURNING_FAST = "burning-fast"
    """At this pace it is gone within days: urgent."""
    SPENT = "spent"
    NOT_ENOUGH_DATA = "not-enough-data"
    NO_DATA = "no-data"
    """A check of it has stopped reporting: what is lost meanwhile is not measured."""


@dataclass(frozen=True, slots=True)
class Objective:
    """What is promised: the share `target` (0 to 1) of the results of `checks` in a window.

    `checks` maps each name to how long it may be silent before it counts as absent. `events`:
    the checks count events (requests), which are measured in place of their own results.
    """

    name: str
    label: str
    checks: Mapping[str, timedelta]
    target: Fraction
    window: Window
    zone: ZoneInfo
    least: int
    """Failures without which nothing burns: one that failed may be chance."""
    events: bool = False

    @property
    def allowed(self) -> Fraction:
        """The share that may be lost."""
        return 1 - self.target


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the store knows of an objective's checks at a moment."""

    at: datetime
    hours: Hours
    """Of the window, and of the last 30 days."""
    spans: Mapping[timedelta, Mapping[str, Uptime]]
    """By each of `SPANS`, then by check."""
    last: Mapping[str, datetime]
    """The last result of each check, planned maintenance included."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be lost, what is left of it (less than nothing when more was lost), and the pace.

    `burn` has, for each span, how many times as fast as allowed it goes; None without results.
    `gone_in` is when nothing is left at the pace of the windows that burn.
    """

    label: str
    target: Fraction
    window: Window
    state: BudgetState
    total: timedelta
    left: timedelta
    burn: Mapping[timedelta, Fraction | None]
    gone_in: timedelta | None = None
    absent: tuple[str, ...] = ()
    """The names of checks that have stopped reporting."""

    @property
    def left_minutes(self) -> int:
        """Floored: what is left of a minute is none."""
        return self.left // timedelta(minutes=1)

    @property
    def total_minutes(self) -> int:
        return self.total // timedelta(minutes=1)


def events_of(details: Mapping[str, Any]) -> Uptime | None:
    """Returns the events that a check's details count; None where they are no numbers of any."""
    good, total = details.get("good"), details.get("events")
    if type(good) is int and type(total) is int and 0 <= good <= total:
        return Uptime(good, total)
    return None


def dump_budget(found: Budget) -> dict[str, Any]:
    """Returns a budget as the details of an outcome have it: seconds, and shares as text."""
    return {
        "label": found.label,
        "window": found.window,
        "target": str(found.target),
        "state": found.state.value,
        "total_seconds": int(found.total.total_seconds()),
        "left_seconds": int(found.left.total_seconds()),
        "gone_in_seconds": None if found.gone_in is None else int(found.gone_in.total_seconds()),
        "absent": list(found.absent),
    }


def load_budget(details: Mapping[str, Any]) -> Budget:
    """Returns the budget of such details, but for its rates. Raises KeyError, ValueError or
    TypeError for what is none."""
    gone_in, window = details["gone_in_seconds"], details["window"]
    if window not in ("30d", "month"):
        raise ValueError("a budget has the window 30d or month")
    return Budget(
        label=details["label"],
        target=Fraction(details["target"]),
        window=window,
        state=BudgetState(details["state"]),
        total=timedelta(seconds=details["total_seconds"]),
        left=timedelta(seconds=details["left_seconds"]),
        burn={},
        gone_in=None if gone_in is None else timedelta(seconds=gone_in),
        absent=tuple(details["absent"]),
    )
