"""The limit that a container sets on the memory of this process (cgroup v2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limit:
    """The bytes that may be used, and those that are; files that are only cached do not count."""

    most: int
    used: int


def read_limit(root: Path, own: Path) -> Limit | None:
    """Returns the tightest limit on this process, or None where there is none, or none to read.

    `root` is where cgroups are mounted, `own` the file that names ours.
    """
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    path = next((line[3:] for line in lines if line.startswith("0::/")), None)
    if path is None or ".." in path.split("/"):
        return None
    group = root / path.lstrip("/")
    found = [_of(folder) for folder in (group, *group.parents) if folder.is_relative_to(root)]
    limits = [limit for limit in found if limit is not None]
    return max(limits, key=lambda limit: limit.used / limit.most, default=None)


def _of(folder: Path) -> Limit | None:
    try:
        most = int((folder / "memory.max").read_text())  # "max": no limit, no number
        current = int((folder / "memory.current").read_text())
        statistics = (folder / "memory.stat").read_text().splitlines()
    except (OSError, ValueError):
        return None
    cached = next((line.split()[1] for line in statistics if line.startswith("inactive_file ")), "")
    reclaimable = int(cached) if cached.isdigit() else 0
    return Limit(most, max(0, current - reclaimable)) if most > 0 else None
