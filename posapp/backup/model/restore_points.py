"""The restore points that a month promised, and what has proven them: pure."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from posapp import JAKARTA
from posapp.backup.model.backup import Backup, BackupName
from posapp.backup.model.retention import expired

Status = Literal["proven", "verified", "missing", "kept its time"]
_HOURS = {"daily": 2, "weekly": 3, "monthly": 4}
"""When each is due, in Jakarta."""
GRACE = timedelta(hours=6)
"""How long after that a backup may still be on its way."""


@dataclass(frozen=True)
class RestorePoint:
    """A backup that was due; `backups` are its copies, here and in the bucket."""

    kind: str
    due: datetime
    status: Status
    backups: tuple[Backup, ...] = ()

    @property
    def proof(self) -> Backup | None:
        """The copy that was restored last as a proof."""
        restored = [one for one in self.backups if _restored_at(one) is not None]
        return max(restored, key=lambda one: (_restored_at(one), one.location), default=None)


def points_of_month(
    month: date, now: datetime, backups: Iterable[Backup], is_good: Callable[[Backup], bool]
) -> list[RestorePoint]:
    """Returns the restore points of a month that were due by now, by time, from the first backup on
    that is known. `backups` are all of this restaurant's; what `is_good` denies is none."""
    made = [one for one in backups if one.kind in _HOURS and is_good(one)]
    began = min(
        (
            at
            for one in made
            if (m := one.manifest)
            for at in (m.created_at, m.first_created_at)
            if at
        ),
        default=None,
    )
    days = calendar.monthrange(month.year, month.month)[1]
    points = []
    for day in (month.replace(day=number + 1) for number in range(days)):
        for kind, hour in _HOURS.items():
            due = datetime.combine(day, time(hour), JAKARTA)
            if began is not None and day < began.astimezone(JAKARTA).date():
                continue
            if _is_due(kind, day) and due + GRACE <= now:
                points.append(_point(kind, due, now, made))
    return points


def _is_due(kind: str, day: date) -> bool:
    return (
        kind == "daily"
        or (kind == "weekly" and day.weekday() == calendar.SUNDAY)
        or (kind == "monthly" and day.day == 1)
    )


def _point(kind: str, due: datetime, now: datetime, made: list[Backup]) -> RestorePoint:
    copies = tuple(
        one for one in made if one.kind == kind and one.at.astimezone(JAKARTA).date() == due.date()
    )
    if any(_restored_at(one) for one in copies):
        return RestorePoint(kind, due, "proven", copies)
    if copies:
        return RestorePoint(kind, due, "verified", copies)
    # One that would have been removed by now beside a newer one was promised no longer.
    then, newer = BackupName(due, kind), BackupName(now, kind)
    if then in expired({then: True, newer: True}, now):
        return RestorePoint(kind, due, "kept its time")
    return RestorePoint(kind, due, "missing")


def _restored_at(backup: Backup) -> datetime | None:
    return backup.manifest.restored_at if backup.manifest else None
