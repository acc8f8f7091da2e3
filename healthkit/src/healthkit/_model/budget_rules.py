"""What is lost, what is left of a budget, and how fast it goes: rules of values alone.

Reckoned in whole numbers and fractions: nothing is rounded in anybody's favour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from healthkit._model.budgets import (
    BURN_WINDOWS,
    ROLLING,
    Budget,
    BudgetState,
    BurnWindows,
    Hours,
    Measurement,
    Objective,
    Window,
)
from healthkit._model.uptime import Uptime

_HOUR = 3600
_LEAST_HOURS = 2
"""Hours with results before a check says anything of a month."""
_LEAST_SILENCE = timedelta(minutes=5)


def silent_after(interval: timedelta, timeout: timedelta) -> timedelta:
    """Returns the time without a result from which a check counts as absent."""
    return max(_LEAST_SILENCE, 3 * (interval + timeout))


def bounds(window: Window, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Returns when the window around `now` begins and ends, in UTC."""
    if window == "30d":
        return now - ROLLING, now
    local = now.astimezone(zone)
    first = datetime(local.year, local.month, 1, tzinfo=zone)
    following = divmod(local.month, 12)
    after = datetime(local.year + following[0], following[1] + 1, 1, tzinfo=zone)
    return first.astimezone(UTC), after.astimezone(UTC)


def burn_rate(measured: Iterable[Uptime], allowed: Fraction) -> Fraction | None:
    """Returns how many times as fast as allowed the worst of these loses; None without results."""
    worst: Fraction | None = None
    for one in measured:
        share = Fraction(one.bad, one.total) if one.total else None
        if share is not None and (worst is None or share > worst):
            worst = share
    return None if worst is None else worst / allowed


def burns(
    windows: BurnWindows,
    spans: Mapping[timedelta, Mapping[str, Uptime]],
    allowed: Fraction,
    least: int,
) -> bool:
    """Whether one check loses too fast in both windows, by `least` failures or more."""
    for name, found in spans[windows.long].items():
        lately = spans[windows.short].get(name, Uptime(0, 0))
        rates = [burn_rate([one], allowed) for one in (found, lately)]
        too_fast = all(rate is not None and rate > windows.factor for rate in rates)
        if too_fast and found.bad >= least:
            return True
    return False


def lost_seconds(hours: Hours, first: int, now: datetime) -> Fraction:
    """Returns the time that was lost since the hour `first`: of each hour the share of its results
    that failed, by the worst of the checks. Hours without results are not lost.

    An hour in which a check ran for a part only counts by that part: it is held against the number
    of results in the hours beside it.
    """
    current, elapsed = divmod(int(now.timestamp()), _HOUR)
    lost: dict[int, Fraction] = {}
    for cells in hours.values():
        for hour, cell in cells.items():
            if hour >= first and cell.bad:
                length = elapsed + 1 if hour == current else _HOUR
                full = max([Fraction(cell.total), *_beside(cells, hour, current, elapsed, length)])
                lost[hour] = max(lost.get(hour, Fraction(0)), cell.bad * length / full)
    return sum(lost.values(), Fraction(0))


def _beside(
    cells: Mapping[int, Uptime], hour: int, current: int, elapsed: int, length: int
) -> list[Fraction]:
    """Returns how many results the hours before and after would have in so many seconds."""
    found = []
    for other in (hour - 1, hour + 1):
        took = elapsed + 1 if other == current else _HOUR
        if other in cells and took >= 60:
            found.append(Fraction(cells[other].total * length, took))
    return found


def lost_by_events(hours: Hours, first: int, now: datetime) -> Fraction:
    """Returns the time that the share of bad events stands for, since the hour `first` or the
    first that had any; hours are not alike here, so their events are counted together."""
    worst = Fraction(0)
    for cells in hours.values():
        counted = {hour: cell for hour, cell in cells.items() if hour >= first and cell.total}
        if counted:
            bad = sum(cell.bad for cell in counted.values())
            total = sum(cell.total for cell in counted.values())
            passed = max(1, int(now.timestamp()) - min(counted) * _HOUR)
            worst = max(worst, Fraction(bad, total) * passed)
    return worst


def budget(objective: Objective, measured: Measurement) -> Budget:
    """Returns how an objective does."""
    start, end = bounds(objective.window, measured.at, objective.zone)
    first = -(-int(start.timestamp()) // _HOUR)  # whole hours: the window's first one if it is
    reckon = lost_by_events if objective.events else lost_seconds
    lost = reckon(measured.hours, first, measured.at)
    total = Fraction(int((end - start).total_seconds())) * objective.allowed
    left = total - lost
    state, pace = _state(objective, measured, left)
    return Budget(
        label=objective.label,
        target=objective.target,
        window=objective.window,
        state=state,
        total=_floored(total),
        left=_floored(left),
        burn={s: burn_rate(of.values(), objective.allowed) for s, of in measured.spans.items()},
        gone_in=_gone_in(left, pace, objective, measured),
        absent=_absent(objective, measured),
    )


def _state(
    objective: Objective, measured: Measurement, left: Fraction
) -> tuple[BudgetState, BurnWindows | None]:
    """Returns the state, and the windows by which it burns."""
    seen = [_seen(name, objective, measured) for name in objective.checks]
    if any(hours < _LEAST_HOURS for hours in seen):
        return BudgetState.NOT_ENOUGH_DATA, None
    burning = [
        one
        for one in BURN_WINDOWS
        if burns(one, measured.spans, objective.allowed, objective.least)
    ]
    pace = burning[0] if burning else None
    if pace is not None and pace.urgent:
        return BudgetState.BURNING_FAST, pace
    if left <= 0:
        return BudgetState.SPENT, pace
    if _absent(objective, measured):
        return BudgetState.NO_DATA, pace
    return (BudgetState.OK if pace is None else BudgetState.BURNING), pace


def _seen(name: str, objective: Objective, measured: Measurement) -> int:
    """Returns the hours in which a check had results; of events there may be none for hours."""
    cells = measured.hours.get(name, {})
    return _LEAST_HOURS if objective.events and any(c.total for c in cells.values()) else len(cells)


def _absent(objective: Objective, measured: Measurement) -> tuple[str, ...]:
    return tuple(
        name
        for name, silence in objective.checks.items()
        if name not in measured.last or measured.at - measured.last[name] > silence
    )


def _gone_in(
    left: Fraction, pace: BurnWindows | None, objective: Objective, measured: Measurement
) -> timedelta | None:
    """Returns the time until nothing is left at a pace."""
    if pace is None or left <= 0:
        return None
    rate = burn_rate(measured.spans[pace.long].values(), objective.allowed)
    return _floored(left / (rate * objective.allowed)) if rate else None


def _floored(seconds: Fraction) -> timedelta:
    return timedelta(seconds=seconds.numerator // seconds.denominator)
