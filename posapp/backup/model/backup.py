"""One backup, its name, and which of several counts: pure.

A name is `steak_kenangan_{kind}_{YYYYMMDD_HHMMSS}.dump.gz`, in Jakarta time; in a bucket the
restaurant's identity stands before `.dump.gz`. It is read by one
strict pattern, so that nothing else in a folder or a bucket is ever listed, opened or removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from posapp import JAKARTA
from posapp.backup.model.manifest import YEARS, Manifest

KINDS = ("daily", "weekly", "monthly", "pre-deploy", "pre-restore")
S3_SCHEME = "s3://"

_STAMP = "%Y%m%d_%H%M%S"
_NAME = re.compile(
    rf"steak_kenangan_(?P<kind>{'|'.join(KINDS)})_(?P<stamp>[0-9]{{8}}_[0-9]{{6}})"
    r"(_(?P<identity>[0-9a-f]{16}))?\.dump\.gz(?P<age>\.age)?"
)


@dataclass(frozen=True, order=True)
class BackupName:
    """The name of a backup; names sort by time. `at` is UTC in whole seconds."""

    at: datetime
    kind: str
    encrypted: bool = False
    identity: str = ""
    """The restaurant's, in a bucket: there its backups lie beside those of others, which may have
    been made in the same second."""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Returns the name that `text`, a mere file name, stands for; None for any other text."""
        match = _NAME.fullmatch(text)
        if match is None:
            return None
        try:
            at = parse_stamp(match["stamp"])
            if at.year not in YEARS:
                return None
        except (ValueError, OverflowError):
            return None
        return cls(at, match["kind"], match["age"] is not None, match["identity"] or "")

    def __str__(self) -> str:
        return f"{self._stem}.dump.gz{'.age' if self.encrypted else ''}"

    @property
    def manifest(self) -> str:
        return f"{self}.manifest.json"

    @property
    def globals(self) -> str:
        """The server's roles, as SQL."""
        return f"{self._stem}.globals.sql"

    @property
    def files(self) -> tuple[str, str, str]:
        """All files of the backup; the dump itself comes first."""
        return str(self), self.manifest, self.globals

    @property
    def plain(self) -> Self:
        """The name without the identity: what it is called where it was made."""
        return replace(self, identity="")

    @property
    def key(self) -> str:
        """The path below a storage's root: `daily/steak_kenangan_daily_….dump.gz`."""
        return self.key_of(str(self))

    def key_of(self, file: str) -> str:
        """The path of one of its `files` below a storage's root."""
        return f"{self.kind}/{file}"

    @property
    def _stem(self) -> str:
        owner = f"_{self.identity}" if self.identity else ""
        return f"steak_kenangan_{self.kind}_{format_stamp(self.at)}{owner}"


@dataclass(frozen=True)
class Backup:
    """A backup in a storage. `size` is the dump's in bytes, `location` its path or s3:// URL."""

    name: BackupName
    size: int
    manifest: Manifest | None
    location: str
    problem: str = ""
    """Why it cannot be read, where it cannot."""

    @property
    def kind(self) -> str:
        return self.name.kind

    @property
    def at(self) -> datetime:
        return self.name.at

    @property
    def in_s3(self) -> bool:
        return self.location.startswith(S3_SCHEME)

    @property
    def intact(self) -> bool:
        """Whether it was verified when it was made, and still has the size that it had then."""
        manifest = self.manifest
        return (
            not self.problem
            and manifest is not None
            and manifest.verified_at is not None
            and (manifest.file, manifest.size_bytes) == (str(self.name.plain), self.size)
            and self.name.identity in ("", manifest.identity)
        )

    @property
    def upload_pending(self) -> bool:
        """Whether it belongs into S3 too and is not there yet."""
        manifest = self.manifest
        return (
            self.intact
            and manifest is not None
            and manifest.s3_expected
            and manifest.uploaded_at is None
        )


def newest_intact(backups: Iterable[Backup]) -> Backup | None:
    """Returns the newest backup that is intact; None where there is none."""
    return max((one for one in backups if one.intact), key=lambda one: one.name, default=None)


def format_stamp(moment: datetime) -> str:
    """Formats `20251226_021530`, on Jakarta's wall clock."""
    return moment.astimezone(JAKARTA).strftime(_STAMP)


def parse_stamp(text: str) -> datetime:
    """Returns the moment of a stamp in UTC. Raises ValueError and OverflowError."""
    return datetime.strptime(text, _STAMP).replace(tzinfo=JAKARTA).astimezone(UTC)


def format_local(moment: datetime) -> str:
    """Formats `2025-12-26 02:15:30`, on Jakarta's wall clock."""
    return moment.astimezone(JAKARTA).strftime("%Y-%m-%d %H:%M:%S")
