"""Reads what objectives are judged by."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from healthkit._model.budget_rules import bounds
from healthkit._model.budgets import ROLLING, SPANS, Hours, Measurement, Objective
from healthkit._model.uptime import Uptime
from healthkit._store.history import (
    good_results,
    good_sums,
    last_summed,
    not_of_a_clock_ahead,
    uptime,
)
from healthkit._store.tables import history, hourly

_HOUR = 3600
_LOOK_BACK = timedelta(hours=2)


def measure(connection: Connection, objective: Objective, now: datetime) -> Measurement:
    """Returns what the store knows of an objective's checks."""
    start, _ = bounds(objective.window, now, objective.zone)
    names, events = set(objective.checks), objective.events
    found = {span: uptime(connection, now, span, events=events) for span in SPANS}
    return Measurement(
        at=now,
        hours=_hours(connection, objective, min(start, now - ROLLING), now),
        spans={
            span: {name: one for name, one in of.items() if name in names}
            for span, of in found.items()
        },
        last=_last_results(connection, objective, now),
    )


def _hours(connection: Connection, objective: Objective, since: datetime, now: datetime) -> Hours:
    """Returns the results, or events, of each hour: those that are summed up, and those to be."""
    first, events = int(since.timestamp()) // _HOUR, objective.events
    summed = last_summed(connection, hourly.c.hour, int(now.timestamp()) // _HOUR)
    ours = hourly.c.check_name.in_(objective.checks)
    whole = ours & (hourly.c.hour >= first) & (hourly.c.hour <= summed)
    fresh = history.c.check_name.in_(objective.checks) & (history.c.hour > summed)
    fresh &= (history.c.hour >= first) & not_of_a_clock_ahead(now)
    found: dict[str, dict[int, Uptime]] = {}
    for query in (
        good_sums(hourly, whole, hourly.c.hour, events=events),
        good_results(fresh, history.c.hour, events=events),
    ):
        for name, hour, good, total in connection.execute(query):
            found.setdefault(name, {})[int(hour)] = Uptime(int(good), int(total))
    return found


def _last_results(
    connection: Connection, objective: Objective, now: datetime
) -> dict[str, datetime]:
    """Returns the last results that are young enough to matter."""
    longest = max(_LOOK_BACK, *objective.checks.values())
    since = int((now - longest).timestamp()) // _HOUR
    query = (
        select(history.c.check_name, func.max(history.c.at))
        .where(history.c.hour >= since, history.c.check_name.in_(objective.checks))
        .where(not_of_a_clock_ahead(now))
        .group_by(history.c.check_name)
    )
    return {str(row[0]): row[1] for row in connection.execute(query)}
