"""The backups as a table for people."""

from __future__ import annotations

from datetime import datetime, timedelta

from healthkit.cli import format_table
from healthkit.fields import format_size
from posapp.backup.model.backup import Backup, format_local


def listing(backups: list[Backup], now: datetime) -> str:
    """Returns the table, newest backup first; times are Jakarta's."""
    if not backups:
        return "there is no backup"
    head = ("NAME", "KIND", "AGE", "SIZE", "VERIFIED", "UPLOADED", "RESTORED", "WHERE")
    return format_table([head, *(_row(backup, now) for backup in reversed(backups))])


def _row(backup: Backup, now: datetime) -> tuple[str, ...]:
    manifest = backup.manifest
    timestamps = (
        (
            manifest.verified_at if backup.intact else None,
            manifest.uploaded_at,
            manifest.restored_at,
        )
        if manifest
        else (None, None, None)
    )
    times = [format_local(timestamp) if timestamp else "-" for timestamp in timestamps]
    if backup.problem:
        times[0] = f"unreadable: {backup.problem}"
    return (
        str(backup.name),
        backup.kind,
        format_age(now - backup.at),
        format_size(backup.size),
        *times,
        backup.location.removesuffix(f"/{backup.name}"),
    )


def format_age(age: timedelta) -> str:
    """Formats `3d 4h`, `4h 10m`, `10m`."""
    minutes = max(0, int(age.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m"
