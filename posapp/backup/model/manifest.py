"""The manifest of a backup, `….manifest.json`: how it was made, and what has proven it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from healthkit.masking import mask
from posapp.backup.model.contents import Contents
from posapp.backup.model.properties import DatabaseProperties

YEARS = range(1970, 9000)
"""Others cannot be shown on every clock."""
LARGEST_MANIFEST = 4_000_000
"""Bytes; what is longer is none."""


def as_utc(moment: datetime) -> datetime:
    """Returns a moment in UTC. Raises ValueError for one that cannot be shown."""
    if moment.year not in YEARS:
        raise ValueError(f"the year {moment.year} is none of ours")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


UtcDatetime = Annotated[datetime, AfterValidator(as_utc)]
Bytes = Annotated[int, Field(ge=0, lt=1 << 62)]
Seconds = Annotated[float, Field(ge=0, lt=1 << 31)]
_FOREIGN_TEXTS = ("database", "server_version", "pg_dump_version")
"""What settings and programs say, as text; all else is numbers and names that SQL has checked."""


class Manifest(BaseModel):
    """The facts about one backup; times are UTC.

    `restored_at` is when the backup was last restored as a proof. Rotation removes that with the
    backup, so each new manifest carries it on from all before, of whatever kind:
    `first_created_at` and `last_restored_at`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str
    kind: str
    created_at: UtcDatetime
    size_bytes: Bytes
    """Of the file itself."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the file itself."""
    sql_bytes: Bytes
    """Of the SQL in it."""
    encrypted: bool = False

    identity: str | None = None
    """Of the restaurant's data; None for a schema from before it had one."""
    system_identifier: str | None = None
    """Of the server."""
    database: str
    database_bytes: Bytes
    """Of the database on the server's disk."""
    server_version: str
    pg_dump_version: str
    posapp_version: str
    schema_revision: str | None
    """Of Alembic."""
    row_counts: dict[str, int]
    """Rows of each table in the snapshot that was dumped; names as in SQL, without `public.`."""
    roles: tuple[str, ...]
    """Roles that own something in it, or have privileges in it."""
    extensions: tuple[str, ...]
    contents: Contents | None = None
    """All that it has besides rows; None for a backup of version 1.0."""
    properties: DatabaseProperties | None = None
    globals_sha256: str | None = None
    """Of the roles beside it."""

    verified_at: UtcDatetime | None = None
    s3_expected: bool = False
    uploaded_at: UtcDatetime | None = None
    restored_at: UtcDatetime | None = None
    restored_on: str | None = None
    """The server on which that was."""
    restored_seconds: Seconds | None = None
    """How long that took."""
    first_created_at: UtcDatetime | None = None
    last_restored_at: UtcDatetime | None = None

    signature: str | None = None
    """HMAC-SHA-256 of all the rest by BACKUP_KEY."""

    @classmethod
    def parse(cls, text: bytes) -> Self | None:
        """Returns the manifest in a JSON text; None for a text that is none."""
        try:
            return cls.model_validate_json(text) if len(text) <= LARGEST_MANIFEST else None
        except (ValidationError, RecursionError):
            return None

    def masked(self) -> Self:
        """Returns it as it is written: without a secret."""
        masked = {name: mask(getattr(self, name)) for name in _FOREIGN_TEXTS}
        return self.model_copy(update=masked)

    def dump(self) -> bytes:
        return self.masked().model_dump_json(indent=2).encode() + b"\n"

    def with_timestamps(self, **moments: datetime | None) -> Self:
        """Returns a copy with other `verified_at`, `uploaded_at` or `restored_at`."""
        shown = {name: as_utc(at) if at is not None else None for name, at in moments.items()}
        return self.model_copy(update=shown)

    def as_restored(self, at: datetime, on: str, seconds: float) -> Self:
        """Returns a copy that was restored as a proof: when, on which server, how long it took."""
        proof = {
            "restored_at": as_utc(at),
            "restored_on": on,
            "restored_seconds": round(seconds, 1),
        }
        return self.model_copy(update=proof)

    @property
    def rows(self) -> int:
        return sum(self.row_counts.values())


def carried_timestamps(
    earlier: Iterable[Manifest], created_at: datetime
) -> dict[str, datetime | None]:
    """Returns `first_created_at` and `last_restored_at` of a new manifest: the earliest and the
    latest that any earlier manifest knows of."""
    manifests = list(earlier)
    first = [at for m in manifests for at in (m.created_at, m.first_created_at) if at]
    restored = [at for m in manifests for at in (m.restored_at, m.last_restored_at) if at]
    return {
        "first_created_at": min(first, default=created_at),
        "last_restored_at": max(restored, default=None),
    }
