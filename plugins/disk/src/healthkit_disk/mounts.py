"""Where disks are mounted and where they ought to be: functions of what /proc/self/mountinfo and
/etc/fstab hold (proc_pid_mountinfo(5), fstab(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_POINT, _OPTIONS = 4, 5
"""Places of fields in a line of mountinfo."""
_BLANKS = re.compile(r"[ \t]++")
_ESCAPE = re.compile(r"\\([0-7]{3})")
_READ_ONLY = {"ro", "emergency_ro", "shutdown"}
"""Options of a file system that takes no writes; the last two are ext4's after an error."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: where, and whether it takes no writes."""

    point: Path
    read_only: bool


def parse_mounts(mountinfo: str) -> list[Mount]:
    """Returns the mounts of a mountinfo file, in its order: a later one lies over an earlier.

    A line ends with a line feed alone: whoever may mount may name a folder with any other sign.
    """
    mounts = []
    for line in mountinfo.split("\n"):
        left, _, rest = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) > _OPTIONS:
            flags = {*fields[_OPTIONS].split(","), *rest.rpartition(" ")[2].split(",")}
            mounts.append(Mount(_path(fields[_POINT]), bool(flags & _READ_ONLY)))
    return mounts


def mount_of(path: Path, mounts: Iterable[Mount]) -> Mount | None:
    """Returns the mount on which a path without links lies."""
    holding = [mount for mount in mounts if path.is_relative_to(mount.point)]
    return max(reversed(holding), key=lambda mount: len(mount.point.parts), default=None)


def missing_mount(path: Path, mounts: Iterable[Mount], fstab: str) -> Path | None:
    """Returns the point at which fstab has the disk of `path` mounted and nothing is."""
    expected = [point for point in _expected(fstab) if path.is_relative_to(point)]
    point = max(expected, key=lambda point: len(point.parts), default=None)
    if point is None or any(mount.point == point for mount in mounts):
        return None
    return point


def _expected(fstab: str) -> Iterator[Path]:
    """Yields the points that are to be mounted without anybody asking for it."""
    for line in fstab.split("\n"):
        fields = _BLANKS.split(line.strip(" \t\r"))
        if len(fields) < 3 or fields[0].startswith("#"):
            continue
        _, point, _, options = (*fields[:3], fields[3] if len(fields) > 3 else "")
        if point.startswith("/") and "noauto" not in options.split(","):
            yield _path(point)


def _path(text: str) -> Path:
    """Spaces and the like are written as octal numbers."""
    return Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), text))
