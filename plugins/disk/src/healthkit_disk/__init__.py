"""The check type `disk`: bytes and inodes left on a file system, counted as df does, and whether it
is mounted and takes writes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from healthkit import Check, CheckContext, Outcome, Status, hookimpl
from healthkit.fields import Percent, Size, format_size
from healthkit_disk.mounts import Mount, missing_mount, mount_of, parse_mounts
from healthkit_disk.quota import read_quotas

MOUNTINFO = Path("/proc/self/mountinfo")
FSTAB = Path("/etc/fstab")


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of a file system. Shares are percent of what users may fill.

    `inodes_used_percent` is None where the file system does not count inodes (btrfs, vfat),
    `quota_used_percent` where no quota can be read. `free_bytes` is within the quota.
    """

    used_percent: float
    free_bytes: int
    inodes_used_percent: float | None
    quota_used_percent: float | None = None
    read_only: bool = False


class Disk(Check):
    """Whether the file system that holds `path` has room and takes writes. Needs a POSIX system.

    `mount`: True, the disk is mounted at `path` itself; None, it is where /etc/fstab says so;
    False, it is not asked. `read_only`: True, it need not take writes.
    """

    path: Path
    """A folder or file on the file system."""
    warn: Percent = 80.0
    """The share in use from which it is degraded."""
    fail: Percent = Field(default="95%", validate_default=True)
    """The share in use from which it is unhealthy."""
    min_free: Size | None = None
    """The free room below which it is unhealthy, whatever the share."""
    inodes: bool = True
    """Whether the shares hold for inodes as well."""
    mount: bool | None = None
    """Whether a disk must be mounted at `path`; left out, where /etc/fstab says so."""
    read_only: bool = False
    """Whether it may be mounted read-only."""

    @field_validator("fail", mode="after")
    @classmethod
    def _above_warn(cls, fail: float, info: ValidationInfo) -> float:
        warn = info.data.get("warn")
        if warn is not None and fail <= warn:
            raise ValueError(f"{fail:g}% must be more than warn ({warn:g}%)")
        return fail

    def run(self, context: CheckContext) -> Outcome:
        try:
            path = Path(os.path.realpath(self.path))
            mounts = parse_mounts(_read(MOUNTINFO))
            if (fault := mount_fault(path, mounts, self.mount)) is not None:
                return Outcome.unhealthy(fault)
            return evaluate(measure(path, mounts), self)
        except OSError as error:
            reason = "does not exist" if isinstance(error, FileNotFoundError) else error.strerror
            return Outcome.unhealthy(f"{self.path}: {reason}")

    def target(self) -> str:
        return str(self.path)


def mount_fault(path: Path, mounts: Sequence[Mount], wanted: bool | None) -> str | None:
    """Returns why the disk of `path` is not where it ought to be, or None."""
    if wanted is None:
        missing = missing_mount(path, mounts, _read(FSTAB))
        return f"{missing}: the disk is not mounted" if missing is not None else None
    if wanted and not (any(mount.point == path for mount in mounts) or os.path.ismount(path)):
        return f"{path}: the disk is not mounted"
    return None


def _read(file: Path) -> str:
    try:
        return os.fsdecode(file.read_bytes())  # names as `realpath` has them, line ends untouched
    except OSError:
        return ""  # not every system has it


def measure(path: Path, mounts: Sequence[Mount] = ()) -> Usage:
    """The usage of the file system that holds `path`. Raises OSError."""
    stat = os.statvfs(path)
    holding = mount_of(path, mounts)
    quotas = read_quotas(path)
    free = [stat.f_bavail * stat.f_frsize, *(quota.free_bytes for quota in quotas)]
    inodes = [_share(stat.f_files - stat.f_ffree, stat.f_favail)]
    inodes += [quota.inodes_used_percent for quota in quotas]
    return Usage(
        used_percent=_share(stat.f_blocks - stat.f_bfree, stat.f_bavail) or 0.0,
        free_bytes=min(bytes_left for bytes_left in free if bytes_left is not None),
        inodes_used_percent=_most(inodes),
        quota_used_percent=_most([quota.used_percent for quota in quotas]),
        read_only=bool(stat.f_flag & os.ST_RDONLY) or (holding is not None and holding.read_only),
    )


def _most(shares: Sequence[float | None]) -> float | None:
    return max((share for share in shares if share is not None), default=None)


def _share(used: int, available: int) -> float | None:
    """Percent used of what is there for users: blocks reserved for root count on neither side,
    as in df (coreutils, src/df.c). None where nothing is counted."""
    whole = used + available
    return round(100 * used / whole, 1) if whole else None


def evaluate(usage: Usage, limits: Disk) -> Outcome:
    """Whether there is room, by bytes, by inodes and quotas where they count, and by `min_free`;
    and whether it can be used."""
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
    if usage.quota_used_percent is not None:
        details["quota_used_percent"] = usage.quota_used_percent
        grade = _grade(usage.quota_used_percent, limits)
        found.append((grade, f"{usage.quota_used_percent:g}% of the quota used"))
    if usage.read_only and not limits.read_only:
        found.append((Status.UNHEALTHY, "mounted read-only"))
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
