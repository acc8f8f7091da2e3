"""What there is, as a table for people."""

from __future__ import annotations

from datetime import datetime, timedelta

from healthkit.cli import format_table
from healthkit.fields import format_size
from posapp.backup.model.backup import clock_time
from posapp.backup.storage.folder import Entry


def listing(entries: list[Entry], now: datetime) -> str:
    """The backups as a table; times are Jakarta's."""
    if not entries:
        return "there is no backup"
    head = ("NAME", "KIND", "AGE", "SIZE", "VERIFIED", "UPLOADED", "RESTORED", "WHERE")
    return format_table([head, *(_row(entry, now) for entry in reversed(entries))])


def _row(entry: Entry, now: datetime) -> tuple[str, ...]:
    manifest = entry.manifest
    moments = (
        (manifest.verified_at if entry.good else None, manifest.uploaded_at, manifest.restored_at)
        if manifest
        else (None, None, None)
    )
    return (
        str(entry.name),
        entry.name.kind,
        age(now - entry.name.at),
        format_size(entry.size),
        *(clock_time(moment) if moment else "-" for moment in moments),
        entry.where.removesuffix(f"/{entry.name}"),
    )


def age(value: timedelta) -> str:
    """`3d 4h`, `4h 10m`, `10m`."""
    minutes = max(0, int(value.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m"
