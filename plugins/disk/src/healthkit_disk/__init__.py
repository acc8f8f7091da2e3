"""The check type `disk`: bytes and inodes left on a file system, counted as df does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from healthkit import Check, CheckContext, Outcome, Status, hookimpl
from healthkit.fields import Percent, Size, format_size


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of a file system. Shares are percent of what users may fill.

    `inodes_used_percent` is None where the file system does not count inodes (btrfs, vfat).
    """

    used_percent: float
    free_bytes: int
    inodes_used_percent: float | None


class Disk(Check):
    """Whether the file system that holds `path` has room. Needs a POSIX system."""

    path: Path
    warn: Percent = 80.0
    fail: Percent = Field(default="95%", validate_default=True)
    min_free: Size | None = None
    inodes: bool = True

    @field_validator("fail", mode="after")
    @classmethod
    def _above_warn(cls, fail: float, info: ValidationInfo) -> float:
        warn = info.data.get("warn")
        if warn is not None and fail <= warn:
            raise ValueError(f"{fail:g}% must be more than warn ({warn:g}%)")
        return fail

    def run(self, context: CheckContext) -> Outcome:
        try:
            usage = measure(self.path)
        except OSError as error:
            reason = "does not exist" if isinstance(error, FileNotFoundError) else error.strerror
            return Outcome.unhealthy(f"{self.path}: {reason}")
        return evaluate(usage, self)

    def target(self) -> str:
        return str(self.path)


def measure(path: Path) -> Usage:
    """The usage of the file system that holds `path`. Raises OSError."""
    stat = os.statvfs(path)
    return Usage(
        used_percent=_share(stat.f_blocks - stat.f_bfree, stat.f_bavail) or 0.0,
        free_bytes=stat.f_bavail * stat.f_frsize,
        inodes_used_percent=_share(stat.f_files - stat.f_ffree, stat.f_favail),
    )


def _share(used: int, available: int) -> float | None:
    """Percent used of what is there for users: blocks reserved for root count on neither side,
    as in df (coreutils, src/df.c). None where nothing is counted."""
    whole = used + available
    return round(100 * used / whole, 1) if whole else None


def evaluate(usage: Usage, limits: Disk) -> Outcome:
    """Whether there is room, by bytes, by inodes where they count, and by `min_free`."""
    details: dict[str, Any] = {
        "used_percent": usage.used_percent,
        "free_bytes": usage.free_bytes,
    }
    free = format_size(usage.free_bytes)
    found = [(_grade(usage.used_percent, limits), f"{usage.used_percent:g}% used, {free} free")]
    if usage.inodes_used_percent is not None:
        details["inodes_used_percent"] = usage.inodes_used_percent
        if limits.inodes:
            grade = _grade(usage.inodes_used_percent, limits)
            found.append((grade, f"{usage.inodes_used_percent:g}% of inodes used"))
    if limits.min_free is not None and usage.free_bytes < limits.min_free:
        wanted = f"{free} free, less than {format_size(limits.min_free)}"
        found.append((Status.UNHEALTHY, wanted))
    for status in (Status.UNHEALTHY, Status.DEGRADED):
        faults = [text for grade, text in found if grade is status]
        if faults:
            return Outcome(status, "; ".join(faults), details)
    return Outcome.healthy(found[0][1], **details)


def _grade(percent: float, limits: Disk) -> Status:
    if percent >= limits.fail:
        return Status.UNHEALTHY
    return Status.DEGRADED if percent >= limits.warn else Status.HEALTHY


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"disk": Disk}
