"""Adds results that come late to the sums of hours and days that are closed already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, case, func, insert, update

from healthkit._store.tables import daily, hourly

_DAY = 24
_LARGEST = "slowest"
"""The one column that is no sum."""

Sums = dict[str, Any]


def amend(
    connection: Connection, results: Iterable[Mapping[str, Any]], hour: int, day: int
) -> None:
    """Adds rows of the history to the hours up to `hour` and the days up to `day`, where they lie
    in those: one statement, or two, for each check and period."""
    cells: dict[tuple[Table, str, int], Sums] = {}
    for one in results:
        for table, period, last in ((hourly, one["hour"], hour), (daily, one["hour"] // _DAY, day)):
            if period <= last:
                cell = cells.setdefault((table, one["check_name"], period), {})
                _add(cell, _sums_of(one))
    for (table, check, period), sums in cells.items():
        _amend(connection, table, check, period, sums)


def _sums_of(result: Mapping[str, Any]) -> Sums:
    status, seconds = result["status"], result["seconds"] or 0.0
    known = status in ("healthy", "degraded")
    return {
        "total": 1,
        "healthy": int(status == "healthy"),
        "degraded": int(status == "degraded"),
        "unhealthy": int(not known),
        "seconds": seconds,
        _LARGEST: seconds,
        "good_events": result["good_events"],
        "events": result["events"],
    }


def _add(cell: Sums, more: Sums) -> None:
    for name, value in more.items():
        before = cell.get(name)
        if before is None or value is None:
            cell[name] = value if before is None else before
        else:
            cell[name] = max(before, value) if name == _LARGEST else before + value


def _amend(connection: Connection, table: Table, check: str, period: int, sums: Sums) -> None:
    number = table.primary_key.columns.values()[1]
    known = {name: value for name, value in sums.items() if name in table.c and value is not None}
    added = {name: func.coalesce(table.c[name], 0) + value for name, value in known.items()}
    slowest, ours = table.c[_LARGEST], known[_LARGEST]
    added[_LARGEST] = case((slowest < ours, ours), else_=slowest)
    cell = (table.c.check_name == check) & (number == period)
    if connection.execute(update(table).where(cell).values(added)).rowcount == 0:
        values = {"check_name": check, number.name: period, **known}
        connection.execute(insert(table).values(values))
