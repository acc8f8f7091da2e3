"""How long backups stay: a pure function of what there is and the time.

Daily ones stay 7 days, weekly ones 4 weeks, monthly ones 3 months, of those before deployments the
last 5, those before restores for ever. Whatever the clock says, two are never removed: the newest
good one of each kind, and the newest good one that is not dated in the future, which is the real
newest after a clock that was ahead has been put right.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from posapp.backup.model.backup import KINDS, ZONE, BackupName

LAST_PRE_DEPLOY = 5
_DAYS = {"daily": timedelta(days=7), "weekly": timedelta(weeks=4)}
_MONTHS = 3


def expired(found: Mapping[BackupName, bool], now: datetime) -> list[BackupName]:
    """What is to go, oldest first. `found` says of each backup whether it is good: whole, and
    verified when it was made."""
    return sorted(
        name
        for kind in KINDS
        for name in _old(kind, sorted(n for n in found if n.kind == kind), now)
        if name not in _protected([n for n in found if n.kind == kind], found, now)
    )


def _old(kind: str, names: list[BackupName], now: datetime) -> list[BackupName]:
    if kind == "pre-restore":
        return []
    if kind == "pre-deploy":
        return names[:-LAST_PRE_DEPLOY]
    limit = now - _DAYS[kind] if kind in _DAYS else _months_before(now, _MONTHS)
    return [name for name in names if name.at < limit]


def _protected(
    names: list[BackupName], good: Mapping[BackupName, bool], now: datetime
) -> set[BackupName]:
    """Where none is good, the newest of all takes its place: it may be all that is left."""
    past = [name for name in names if name.at <= now]
    return _newest_good(names, good) | _newest_good(past, good)


def _newest_good(names: Iterable[BackupName], good: Mapping[BackupName, bool]) -> set[BackupName]:
    names = list(names)
    chosen = [name for name in names if good[name]] or names
    return {max(chosen)} if chosen else set()


def _months_before(moment: datetime, months: int) -> datetime:
    """The same day and time so many months ago in Jakarta, or the last day of a shorter month."""
    local = moment.astimezone(ZONE)
    year, month = divmod(local.year * 12 + local.month - 1 - months, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)
