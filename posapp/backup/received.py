"""The folder of what was received from the server: segments of WAL, as pg_receivewal names them.

BACKUP_DIR/wal/               without a gap since the receiver began
BACKUP_DIR/wal/before-gap/    from before a gap: the server had removed what was to come next

Beside each lies its signature: see `wal_signing`.

Where there is a recipient they are packed: `….gz.age`. What is still being written to lies in
POS_DATA_DIR/receiving then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from posapp.backup.model.base import DEFAULT_SEGMENT, SEGMENT, SIGNATURE

FOLDER = "wal"
BEFORE_GAP = "before-gap"


def list_segments(wal: Path) -> list[str]:
    """Returns the names of the whole segments, packed or not, oldest first."""
    if not wal.is_dir():
        return []
    return segments_among(path.name for path in wal.iterdir())


def segments_among(names: Iterable[str]) -> list[str]:
    """Returns the names of the whole segments among files, packed or not, oldest first."""
    found = (SEGMENT.fullmatch(name) for name in names)
    return sorted({match["name"] for match in found if match and not match["partial"]})


def segment_size(wal: Path) -> int:
    """Returns the bytes of a segment: all of a server's are as large."""
    plain = (
        path for path in wal.iterdir() if len(path.name) == 24 and SEGMENT.fullmatch(path.name)
    )
    return next((path.stat().st_size for path in plain), 0) or DEFAULT_SEGMENT


def segment_number(name: str, size: int) -> int:
    """Returns the place of a segment in all that was ever written, whatever its timeline."""
    return int(name[8:16], 16) * ((1 << 32) // size) + int(name[16:24], 16)


def following(name: str, size: int) -> str:
    """Returns the last 16 digits of the name of the segment that comes after this one."""
    log, segment = divmod(segment_number(name, size) + 1, (1 << 32) // size)
    return f"{log:08X}{segment:08X}"


def asked_for(folder: Path, size: int) -> str | None:
    """Returns the last 16 digits of the name of the segment that pg_receivewal asks for first when
    it goes on in a folder: the newest again where that is not whole, else the one after it. None
    for an empty folder."""
    whole = list_segments(folder)
    found = (SEGMENT.fullmatch(path.name) for path in folder.iterdir())
    begun = [match["name"] for match in found if match and match["partial"]]
    newest = max(begun, key=lambda name: segment_number(name, size), default=None)
    if newest is not None and (
        not whole or segment_number(newest, size) > segment_number(whole[-1], size)
    ):
        return newest[8:]
    return following(whole[-1], size) if whole else None


def count_missing(names: Iterable[str], first: str, size: int) -> int:
    """Returns how many segments are missing from `first` to the newest of `names`."""
    begin = segment_number(first, size)
    numbers = {number for name in names if (number := segment_number(name, size)) >= begin}
    return max(numbers) - begin + 1 - len(numbers) if numbers else 0


def set_aside(wal: Path) -> None:
    """Puts what is there before a gap: pg_receivewal would go on after the newest, for ever."""
    aside = wal / BEFORE_GAP
    aside.mkdir(mode=0o700, exist_ok=True)
    for path in list(wal.iterdir()):
        if _segment_of(path):
            path.replace(aside / path.name)


def clean_up(wal: Path, first: str) -> None:
    """Removes the segments from before `first`, of whatever timeline."""
    for folder in (wal, wal / BEFORE_GAP):
        for path in list(folder.iterdir()) if folder.is_dir() else ():
            match = _segment_of(path)
            if match and match["name"][8:] < first[8:]:
                path.unlink(missing_ok=True)


def _segment_of(path: Path) -> re.Match[str] | None:
    """Matches a segment, and the signature beside one."""
    return SEGMENT.fullmatch(path.name.removesuffix(SIGNATURE))
