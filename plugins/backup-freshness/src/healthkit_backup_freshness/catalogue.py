"""The backups at a location, with their manifests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

MANIFEST = ".manifest.json"
ENCRYPTED = ".age"
"""The end of an encrypted file; `pattern` speaks of the name before it."""
_TEMPORARY = (".part", ".tmp")
_STAMP = re.compile(r"(?<!\d)(\d{8}_\d{6})(?!\d)")


class SourceError(Exception):
    """The location cannot be read; the text is for people and has no secrets."""


_YEARS = range(1970, 9000)
"""Others cannot be reckoned with."""
LARGEST_MANIFEST = 4_000_000
"""Bytes; what is longer is none."""


def _utc(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        raise ValueError(f"the year {moment.year} is none of a backup")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_utc)]


class SidecarManifest(BaseModel):
    """The content of `….manifest.json` beside a backup. Every key may be missing; others, and
    times without a zone (taken as UTC), are fine."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    created_at: Moment | None = None
    size_bytes: int | None = Field(default=None, ge=0)
    identity: str | None = Field(default=None, max_length=200)
    """Whose it is, where several keep theirs in one place."""
    verified_at: Moment | None = None
    uploaded_at: Moment | None = None
    s3_expected: bool = False
    restored_at: Moment | None = None
    first_created_at: Moment | None = None
    """Of the first backup that ever was here; a rotation has taken it away."""
    last_restored_at: Moment | None = None
    """Of any backup that was here before."""


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A backup file: when it was made (UTC), its bytes, and its manifest where one is there.

    `unreadable` is true where there is one that makes no sense.
    """

    name: str
    at: datetime
    size: int
    manifest: SidecarManifest | None = None
    unreadable: bool = False


class BackupSource(Protocol):
    """A location that can be listed, again and again."""

    def backups(self, pattern: str, zone: ZoneInfo) -> Sequence[BackupFile]:
        """Returns the backups that match `pattern`; `zone` is that of the times in names.

        Raises SourceError.
        """
        ...

    def close(self) -> None: ...


def is_backup(name: str, pattern: str) -> bool:
    """Whether a file counts: a whole one under its final name."""
    return (
        fnmatchcase(name.removesuffix(ENCRYPTED), pattern)
        and not name.startswith(".")
        and not name.endswith((*_TEMPORARY, MANIFEST))
    )


def backup(
    name: str, size: int, modified: datetime, manifest: bytes | None, zone: ZoneInfo
) -> BackupFile:
    """Returns a backup from its file and the bytes of its manifest. Its time is the manifest's,
    else the one in its name, else the file's own."""
    parsed = _parsed(manifest) if manifest is not None else None
    at = (parsed and parsed.created_at) or stamp(name, zone) or _utc(modified)
    return BackupFile(name, at, size, parsed, unreadable=manifest is not None and parsed is None)


def _parsed(manifest: bytes) -> SidecarManifest | None:
    try:
        if len(manifest) > LARGEST_MANIFEST:
            return None
        return SidecarManifest.model_validate_json(manifest)
    except (ValidationError, RecursionError):
        return None


def series(name: str) -> str:
    """Returns what a name has besides its time."""
    return _STAMP.sub("", name).removesuffix(ENCRYPTED)


def stamp(name: str, zone: ZoneInfo) -> datetime | None:
    """The time in a name, `YYYYMMDD_HHMMSS` on the wall clock of `zone`, as UTC."""
    for digits in reversed(_STAMP.findall(name)):
        try:
            local = datetime.strptime(digits, "%Y%m%d_%H%M%S").replace(tzinfo=zone)
            return _utc(local)
        except ValueError:
            continue
    return None
