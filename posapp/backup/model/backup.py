"""What backups are called: `steak_kenangan_{kind}_{YYYYMMDD_HHMMSS}.dump.gz`, in Jakarta time.

A name is read by one strict pattern, so that nothing else in a folder or a bucket is ever listed,
opened or removed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Jakarta")
KINDS = ("daily", "weekly", "monthly", "pre-deploy", "pre-restore")

_STAMP = "%Y%m%d_%H%M%S"
_NAME = re.compile(
    rf"steak_kenangan_(?P<kind>{'|'.join(KINDS)})_(?P<stamp>[0-9]{{8}}_[0-9]{{6}})"
    r"\.dump\.gz(?P<age>\.age)?"
)


@dataclass(frozen=True, order=True)
class BackupName:
    """The name of a backup; they sort by time. `at` is UTC in whole seconds."""

    at: datetime
    kind: str
    encrypted: bool = False

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The name that `text` is, a mere file name; None for any other."""
        match = _NAME.fullmatch(text)
        if match is None:
            return None
        try:
            local = datetime.strptime(match["stamp"], _STAMP).replace(tzinfo=ZONE)
            return cls(local.astimezone(UTC), match["kind"], match["age"] is not None)
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        return f"{self._stem}.dump.gz{'.age' if self.encrypted else ''}"

    @property
    def manifest(self) -> str:
        return f"{self}.manifest.json"

    @property
    def globals(self) -> str:
        """The server's roles, as SQL."""
        return f"{self._stem}.globals.sql"

    @property
    def files(self) -> tuple[str, str, str]:
        """All that belongs to the backup; the dump itself comes first."""
        return str(self), self.manifest, self.globals

    @property
    def _stem(self) -> str:
        return f"steak_kenangan_{self.kind}_{stamp(self.at)}"


def stamp(moment: datetime) -> str:
    """`20251226_021530`, on Jakarta's wall clock."""
    return moment.astimezone(ZONE).strftime(_STAMP)


def clock_time(moment: datetime) -> str:
    """`2025-12-26 02:15:30`, on Jakarta's wall clock."""
    return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
