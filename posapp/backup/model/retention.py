"""Retention: which backups to remove, and when to remove none. Pure functions of backups and time.

Daily backups stay 7 days, weekly ones 4 weeks, monthly ones 3 months, of those before deployments
the last 5, those before restores for ever. Whatever the clock says, two of each kind are never
removed: the newest intact one, and the newest intact one that is not dated in the future, which is
the real newest after a clock that was ahead has been put right.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median

from posapp import JAKARTA
from posapp.backup.model.backup import KINDS, Backup, BackupName

LAST_PRE_DEPLOY = 5
USUAL_OF, USUAL_FROM = 7, 3
"""The number of backups whose median is the usual size, and how many there must be."""
_DAYS = {"daily": timedelta(days=7), "weekly": timedelta(weeks=4)}
_MONTHS = 3


def expired(intact: Mapping[BackupName, bool], now: datetime) -> list[BackupName]:
    """Returns the backups to remove, oldest first. `intact` has every backup of a storage, and
    whether it is intact; it is asked for the newest, up to the first that is."""
    found = []
    for kind in KINDS:
        names = sorted(name for name in intact if name.kind == kind)
        if old := _expired_of_kind(kind, names, now):
            protected = _protected(names, intact, now)
            found += [name for name in old if name not in protected]
    return sorted(found)


def usual_size_if_too_small(backup: Backup, earlier: Iterable[Backup]) -> int | None:
    """Returns the usual size of a backup's kind in bytes where this one has less than half of it:
    no backup may be removed for it. None otherwise. `earlier` are all others, by time."""
    sizes = [one.size for one in earlier if one.kind == backup.kind and one.intact]
    if len(sizes) < USUAL_FROM:
        return None
    usual = median(sizes[-USUAL_OF:])
    return int(usual) if backup.size < usual / 2 else None


def _expired_of_kind(kind: str, names: list[BackupName], now: datetime) -> list[BackupName]:
    if kind == "pre-restore":
        return []
    if kind == "pre-deploy":
        return names[:-LAST_PRE_DEPLOY]
    limit = now - _DAYS[kind] if kind in _DAYS else _months_before(now, _MONTHS)
    return [name for name in names if name.at < limit]


def _protected(
    names: list[BackupName], intact: Mapping[BackupName, bool], now: datetime
) -> set[BackupName]:
    """Where none is intact, the newest of all takes its place: it may be all that is left."""
    past = [name for name in names if name.at <= now]
    return _newest_intact(names, intact) | _newest_intact(past, intact)


def _newest_intact(
    names: Iterable[BackupName], intact: Mapping[BackupName, bool]
) -> set[BackupName]:
    newest_first = sorted(names, reverse=True)
    chosen = next((name for name in newest_first if intact[name]), None)
    return {chosen} if chosen is not None else set(newest_first[:1])


def _months_before(moment: datetime, months: int) -> datetime:
    """Returns the same day and time so many months ago in Jakarta, or the last day of a shorter
    month."""
    local = moment.astimezone(JAKARTA)
    year, month = divmod(local.year * 12 + local.month - 1 - months, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)
