"""Room on the disks that a run writes to: asked for before anything is written, and watched.

A reserve is left on each file system. On the server's it is its last: a full one stops PostgreSQL,
and it does not start again, since only a running one could drop what has filled it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from healthkit.fields import format_size
from posapp.backup.errors import BackupError, Refused

_SHARE, _LARGEST = 20, 1_000_000_000
"""The reserve where none is set: a twentieth of the file system, a gigabyte at most."""
_PAUSE = 0.2


@dataclass(frozen=True)
class Need:
    """Bytes that will be written below a folder, and for what."""

    folder: Path
    size: int
    what: str


def reserve_of(folder: Path, asked: int | None) -> int:
    """Returns the bytes to leave free on the file system of a folder."""
    if asked is not None:
        return asked
    found = os.statvfs(folder)
    return min(found.f_blocks * found.f_frsize // _SHARE, _LARGEST)


def free_of(folder: Path) -> int:
    """Returns the bytes that an ordinary user may still write."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def shortages(needs: Iterable[Need], asked: int | None) -> list[str]:
    """Returns what does not fit, one line for each file system: what lies on the same one adds up.
    `asked` is the reserve that is set, in bytes."""
    disks: dict[int, list[Need]] = {}
    for need in needs:
        disks.setdefault(os.stat(need.folder).st_dev, []).append(need)
    found = []
    for on_disk in disks.values():
        folder, total = on_disk[0].folder, sum(need.size for need in on_disk)
        free, reserve = free_of(folder), reserve_of(folder, asked)
        if free < total + reserve:
            parts = ", ".join(
                f"{need.what} needs about {format_size(need.size)}" for need in on_disk
            )
            found.append(
                f"{folder}: {format_size(free)} free; {parts},"
                f" and {format_size(reserve)} are the reserve (BACKUP_DISK_RESERVE)"
            )
    return found


def require(needs: Iterable[Need], asked: int | None) -> None:
    """Raises Refused where there is no room, before anything is written."""
    if found := shortages(needs, asked):
        raise Refused("\n".join(found))


@contextmanager
def watched(folders: Iterable[Path], asked: int | None, stop: Callable[[], None]) -> Iterator[None]:
    """Watches file systems while something is written, and calls `stop` when one comes to its
    reserve. Raises BackupError then, whatever the stopped work has raised."""
    limits = {folder: reserve_of(folder, asked) for folder in folders}
    done, low = threading.Event(), []

    def watch() -> None:
        while not done.wait(_PAUSE):
            for folder, limit in limits.items():
                if free_of(folder) < limit:
                    low.append(folder)
                    stop()
                    return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    except Exception:
        if not low:
            raise
    finally:
        done.set()
        thread.join()
    if low:
        size = format_size(limits[low[0]])
        raise BackupError(
            f"{low[0]}: stopped at the reserve of {size} (BACKUP_DISK_RESERVE): the disk would have"
            " been full; what was begun is removed"
        )
