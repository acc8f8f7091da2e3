"""The folder of what was received from the server: segments of WAL, as pg_receivewal names them.

BACKUP_DIR/wal/               without a gap since the receiver began
BACKUP_DIR/wal/before-gap/    from before a gap: the server had removed what was to come next
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from posapp.backup.errors import BackupError
from posapp.runtime.postgres import BIN_DIR

FOLDER = "wal"
BEFORE_GAP = "before-gap"
SEGMENT = re.compile(r"([0-9A-F]{24})(\.partial)?")


def list_segments(wal: Path) -> list[str]:
    """Returns the names of the whole segments, oldest first."""
    if not wal.is_dir():
        return []
    return sorted(
        path.name for path in wal.iterdir() if SEGMENT.fullmatch(path.name) and "." not in path.name
    )


def segment_size(wal: Path, names: list[str]) -> int:
    """Returns the bytes of a segment: all of a server's are as large."""
    return (wal / names[0]).stat().st_size


def segment_number(name: str, size: int) -> int:
    """Returns the place of a segment in all that was ever written, whatever its timeline."""
    return int(name[8:16], 16) * ((1 << 32) // size) + int(name[16:24], 16)


def following(name: str, size: int) -> str:
    """Returns the last 16 digits of the name of the segment that comes after this one."""
    log, segment = divmod(segment_number(name, size) + 1, (1 << 32) // size)
    return f"{log:08X}{segment:08X}"


def count_missing(names: Iterable[str], first: str, size: int) -> int:
    """Returns how many segments are missing from `first` to the newest of `names`."""
    begin = segment_number(first, size)
    numbers = {number for name in names if (number := segment_number(name, size)) >= begin}
    return max(numbers) - begin + 1 - len(numbers) if numbers else 0


def set_aside(wal: Path) -> None:
    """Puts what is there before a gap: pg_receivewal would go on after the newest, for ever."""
    folder = wal / BEFORE_GAP
    folder.mkdir(mode=0o700, exist_ok=True)
    for path in list(wal.iterdir()):
        if SEGMENT.fullmatch(path.name):
            path.replace(folder / path.name)


def clean_up(wal: Path, first: str) -> None:
    """Removes the segments from before `first`. Raises BackupError."""
    for folder in (wal, wal / BEFORE_GAP):
        if not folder.is_dir():
            continue
        done = subprocess.run(
            [str(BIN_DIR / "pg_archivecleanup"), str(folder), first], capture_output=True
        )
        if done.returncode:
            raise BackupError(f"pg_archivecleanup: {done.stderr.decode(errors='replace').strip()}")
