"""The results of each day in the service's zone, and the response times of each hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, case, func, select

from healthkit._model.uptime import Uptime
from healthkit._store.history import MAINTENANCE, last_summed, not_of_a_clock_ahead
from healthkit._store.tables import history, hourly

_HOUR = 3600
MOST_RESULTS = 5_000
"""Of one check in one hour that are looked at for its response times."""

Days = dict[str, dict[date, Uptime]]


def count_days(connection: Connection, now: datetime, zone: ZoneInfo, days: int) -> Days:
    """Returns the results of each check on each of the last `days` days, the latest of them today.

    A day begins with the hour (of UTC) in which it begins in `zone`: in zones that are half an hour
    off, half an hour too early.
    """
    summed = last_summed(connection, hourly.c.hour, int(now.timestamp()) // _HOUR)
    found: Days = {}
    for first, last, begin, offset in _stretches(now, zone, days):
        end = begin + ((last - first).days + 1) * 24
        sums = (
            select(
                hourly.c.check_name,
                ((hourly.c.hour + offset) // 24).label("day"),
                func.sum(hourly.c.healthy + hourly.c.degraded),
                func.sum(hourly.c.total),
            )
            .where(hourly.c.hour >= begin, hourly.c.hour < end, hourly.c.hour <= summed)
            .group_by(hourly.c.check_name, "day")
        )
        good = case((history.c.status.in_(("healthy", "degraded")), 1), else_=0)
        fresh = (
            select(
                history.c.check_name,
                ((history.c.hour + offset) // 24).label("day"),
                func.sum(good),
                func.count(),
            )
            .where(history.c.hour >= max(begin, summed + 1), history.c.hour < end)
            .where(history.c.status != MAINTENANCE, not_of_a_clock_ahead(now))
            .group_by(history.c.check_name, "day")
        )
        for query in (sums, fresh):
            for name, number, up, total in connection.execute(query):
                of_check = found.setdefault(name, {})
                day = date(1970, 1, 1) + timedelta(days=int(number))
                before = of_check.get(day, Uptime(0, 0))
                of_check[day] = Uptime(before.good + int(up), before.total + int(total))
    return found


def response_times(connection: Connection, check: str, hour: int) -> list[float]:
    """Returns the seconds that a check took in an hour (counted from 1970), sorted."""
    query = (
        select(history.c.seconds)
        .where(history.c.hour == hour, history.c.check_name == check)
        .where(history.c.seconds.is_not(None))
        .limit(MOST_RESULTS)
    )
    return sorted(float(seconds) for (seconds,) in connection.execute(query))


def _stretches(now: datetime, zone: ZoneInfo, days: int) -> Iterator[tuple[date, date, int, int]]:
    """Yields stretches of days with one offset from UTC: the first and the last day, the hour with
    which it begins, and the offset in whole hours."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    start, before = first, _offset(first, zone)
    for number in range(1, days + 1):
        day = first + timedelta(days=number)
        offset = _offset(day, zone) if number < days else None
        if offset != before:
            begin = (start - date(1970, 1, 1)).days * 24 - before
            yield start, day - timedelta(days=1), begin, before
            if offset is None:
                return
            start, before = day, offset


def _offset(day: date, zone: ZoneInfo) -> int:
    offset = datetime.combine(day, time(12), zone).utcoffset() or timedelta(0)
    return int(offset.total_seconds() // _HOUR)
