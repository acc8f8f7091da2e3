"""The results of all checks: each for a week, sums of hours for a quarter, of days for ever."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, Table, case, delete, func, insert, select
from sqlalchemy.sql import ColumnElement

from healthkit._model.uptime import Uptime
from healthkit._store.late import amend
from healthkit._store.tables import CLOCK_TOLERANCE, daily, history, hourly

KEEP_RESULTS = timedelta(days=7)
KEEP_HOURS = timedelta(days=92)
MAINTENANCE = "maintenance"
"""The status of a result within a planned window: it counts neither as up nor as down."""
_HOUR, _DAY = 3600, 24


@dataclass(frozen=True, slots=True)
class Row:
    """One result; `seconds` is None for one that overran."""

    check: str
    at: datetime
    status: str
    seconds: float | None
    events: Uptime | None = None
    """Those that the check has counted since its last run, where it counts any."""


def add(connection: Connection, rows: Iterable[Row], now: datetime) -> None:
    """Adds results; one that comes after its hour or day was summed up is added to the sum too, so
    that the order in which results come makes no difference."""
    values: list[dict[str, Any]] = [
        {
            "check_name": row.check,
            "at": row.at,
            "hour": _hour(row.at),
            "status": row.status,
            "seconds": row.seconds,
            "good_events": row.events.good if row.events else None,
            "events": row.events.total if row.events else None,
        }
        for row in rows
    ]
    if not values:
        return
    connection.execute(insert(history), values)
    this_hour = _hour(now)
    counted = [one for one in values if one["status"] != MAINTENANCE]
    if late := [one for one in counted if one["hour"] < this_hour]:
        hour = last_summed(connection, hourly.c.hour, this_hour)
        amend(connection, late, hour, last_summed(connection, daily.c.day, this_hour // _DAY))
    timely = [one for one in counted if one["hour"] >= this_hour]
    hours = _summed(connection, hourly, timely, 1)
    days = _summed(connection, daily, timely, _DAY)
    if hours or days:  # of a clock that was set back: the results that they are of may be gone
        amend(connection, hours, sys.maxsize, 0)
        amend(connection, days, 0, sys.maxsize)


def _summed(
    connection: Connection, table: Table, results: list[dict[str, Any]], length: int
) -> list[dict[str, Any]]:
    """The results of which there are sums already, of their check in their period of so many
    hours."""
    if not results:
        return []
    check, period, *_ = table.c
    cells = {(one["check_name"], one["hour"] // length) for one in results}
    names, periods = ({cell[at] for cell in cells} for at in (0, 1))
    query = select(check, period).where(check.in_(names), period.in_(periods))
    there = {tuple(row) for row in connection.execute(query)}
    return [one for one in results if (one["check_name"], one["hour"] // length) in there]


def roll_up(connection: Connection, now: datetime, upto: datetime | None = None) -> None:
    """Sums up the hours and days that are over, and drops what has been kept long enough, by
    `upto` (now where it is left out).

    The last hour and day that were summed up are done again while all of their results are there,
    for those that came late.
    """
    upto = now if upto is None else upto
    hour, oldest_result, oldest_hour = map(_hour, (now, upto - KEEP_RESULTS, upto - KEEP_HOURS))
    day, first_day = hour // _DAY, oldest_hour // _DAY + 1
    # The days first: their hours have to be there still.
    days_from = _reopen(connection, daily, _hours_of(), first_day, day)
    hours_from = _reopen(connection, hourly, _results_of(), oldest_result, hour)
    _sum_up(connection, hourly, _of_results(), history.c.hour, hours_from, hour)
    _sum_up(connection, daily, _of_hours(), hourly.c.hour // _DAY, days_from, day)
    connection.execute(delete(history).where(history.c.hour < oldest_result))
    connection.execute(delete(hourly).where(hourly.c.hour < oldest_hour))


def _reopen(
    connection: Connection, target: Table, left: ColumnElement[int], oldest: int, now: int
) -> int:
    """Takes out of `target` what is to be summed up again, and returns the period that this begins
    with: the last one before `now`, unless it is before `oldest`, or the one that follows.

    Periods to come are of a clock that was ahead, and are summed up again when their time has come.
    Or the clock is behind now: so what is older than the last period that not all is `left` of
    stays as it is, and that one too.
    """
    name = target.primary_key.columns.values()[1]
    last = last_summed(connection, name, now)
    start = last if last >= oldest else last + 1
    incomplete = select(func.coalesce(func.max(name), -1)).where(
        name >= start, left < target.c.total
    )
    kept = int(connection.execute(incomplete).scalar_one())
    connection.execute(delete(target).where(name >= start, name > kept))
    return start


def _sum_up(
    connection: Connection,
    target: Table,
    sums: Select[Any],
    period: ColumnElement[int],
    start: int,
    now: int,
) -> None:
    """Fills `target` from `start` up to `now`, but for what is there."""
    name = target.primary_key.columns.values()[1]
    found = sums.where(period >= start, period < now).subquery()
    check, number, *_ = found.c
    there = select(name).where(target.c.check_name == check, name == number).exists()
    columns = [column.name for column in target.c][: len(found.c)]
    connection.execute(insert(target).from_select(columns, select(found).where(~there)))


def _results_of() -> ColumnElement[int]:
    """The results that are left of an hour of the sums."""
    query = select(func.count()).where(
        history.c.hour == hourly.c.hour,
        history.c.check_name == hourly.c.check_name,
        history.c.status != MAINTENANCE,
    )
    return query.correlate(hourly).scalar_subquery()


def _hours_of() -> ColumnElement[int]:
    """The results in the hours that are left of a day of the sums."""
    query = select(func.coalesce(func.sum(hourly.c.total), 0)).where(
        hourly.c.hour >= daily.c.day * _DAY,
        hourly.c.hour < (daily.c.day + 1) * _DAY,
        hourly.c.check_name == daily.c.check_name,
    )
    return query.correlate(daily).scalar_subquery()


def _of_results() -> Select[Any]:
    def count(status: str) -> ColumnElement[int]:
        return func.sum(case((history.c.status == status, 1), else_=0))

    healthy, degraded = count("healthy"), count("degraded")
    return (
        select(
            history.c.check_name,
            history.c.hour,
            func.count(),
            healthy,
            degraded,
            func.count() - healthy - degraded,
            func.coalesce(func.sum(history.c.seconds), 0.0),
            func.coalesce(func.max(history.c.seconds), 0.0),
            func.sum(history.c.good_events),
            func.sum(history.c.events),
        )
        .where(history.c.status != MAINTENANCE)
        .group_by(history.c.check_name, history.c.hour)
    )


def _of_hours() -> Select[Any]:
    day = hourly.c.hour // _DAY
    summed = [hourly.c[name] for name in ("total", "healthy", "degraded", "unhealthy", "seconds")]
    sums = [func.sum(column) for column in summed]
    return select(hourly.c.check_name, day, *sums, func.max(hourly.c.slowest)).group_by(
        hourly.c.check_name, day
    )


def uptime(
    connection: Connection, now: datetime, span: timedelta, *, events: bool = False
) -> dict[str, Uptime]:
    """The uptime of each check over the last `span`, from the finest figures that are left; or of
    the events that checks count, for a week at most."""
    since = now - span
    hour = last_summed(connection, hourly.c.hour, _hour(now))
    not_summed = (history.c.hour > hour) & not_of_a_clock_ahead(now)
    up_to_now = hourly.c.hour <= hour
    if span <= KEEP_RESULTS:
        first = _hour(since)
        in_span = history.c.at > since
        return _uptimes(
            connection,
            [
                good_results(
                    (history.c.hour == first) & in_span & (history.c.hour <= hour), events=events
                ),
                good_sums(hourly, (hourly.c.hour > first) & up_to_now, events=events),
                good_results(not_summed & in_span, events=events),
            ],
        )
    parts = [good_results(not_summed)]
    if span <= KEEP_HOURS:
        parts.append(good_sums(hourly, (hourly.c.hour >= _hour(since)) & up_to_now))
    else:
        yesterday = _hour(now) // _DAY - 1  # today is not over: its sum is a clock's that was ahead
        day = last_summed(connection, daily.c.day, yesterday)
        parts.append(good_sums(hourly, (hourly.c.hour // _DAY > day) & up_to_now))
        parts.append(good_sums(daily, (daily.c.day >= _hour(since) // _DAY) & (daily.c.day <= day)))
    return _uptimes(connection, parts)


def not_of_a_clock_ahead(now: datetime) -> ColumnElement[bool]:
    """Selects the results up to now: later ones are dated by a clock that was ahead."""
    return history.c.at <= now + CLOCK_TOLERANCE


def good_results(
    which: ColumnElement[bool], *by: ColumnElement[int], events: bool = False
) -> Select[Any]:
    """Selects of results, or of their events: check, what else they are grouped by, good, all."""
    check = history.c.check_name
    counted = which & (history.c.status != MAINTENANCE)
    good: ColumnElement[Any] = case((history.c.status.in_(("healthy", "degraded")), 1), else_=0)
    sums = (func.sum(good), func.sum(1))
    if events:
        sums = (func.sum(history.c.good_events), func.sum(history.c.events))
        counted &= history.c.events.is_not(None)
    return select(check, *by, *sums).where(counted).group_by(check, *by)


def good_sums(
    table: Table, which: ColumnElement[bool], *by: ColumnElement[int], events: bool = False
) -> Select[Any]:
    """Selects the same of the sums of hours or days."""
    check = table.c.check_name
    sums = (func.sum(table.c.healthy + table.c.degraded), func.sum(table.c.total))
    if events:
        sums = (func.sum(table.c.good_events), func.sum(table.c.events))
        which &= table.c.events.is_not(None)
    return select(check, *by, *sums).where(which).group_by(check, *by)


def _uptimes(connection: Connection, parts: Iterable[Select[Any]]) -> dict[str, Uptime]:
    found: dict[str, Uptime] = {}
    for part in parts:
        for name, good, total in connection.execute(part):
            before = found.get(name, Uptime(0, 0))
            found[name] = Uptime(before.good + int(good), before.total + int(total))
    return found


def last_summed(connection: Connection, period: ColumnElement[int], now: int) -> int:
    """Returns the last period that was summed up; those to come are a clock's that was ahead."""
    query = select(func.coalesce(func.max(period), 0)).where(period <= now)
    return int(connection.execute(query).scalar_one())


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // _HOUR
