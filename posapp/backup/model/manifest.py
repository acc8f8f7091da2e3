"""What stands beside a backup in `….manifest.json`: how it was made, and what has proven it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_utc)]
Bytes = Annotated[int, Field(ge=0)]


class Manifest(BaseModel):
    """One backup; times are UTC.

    `restored_at` is when it was last restored as a proof. Rotation takes that away with the
    backup, so that each new one keeps the memory of all before it, of whatever kind:
    `first_created_at` and `last_restored_at`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str
    kind: str
    created_at: Moment
    size_bytes: Bytes
    """Of the file itself."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the file itself."""
    sql_bytes: Bytes
    """Of the SQL in it."""
    encrypted: bool = False

    database: str
    database_bytes: Bytes
    """What the database took on the server's disk."""
    server_version: str
    pg_dump_version: str
    posapp_version: str
    schema_revision: str | None
    """Of Alembic."""
    row_counts: dict[str, int]
    """Rows of every table, in the snapshot that was dumped; names as in SQL, without `public.`."""
    roles: tuple[str, ...]
    """Roles that own something in it, or may do something with it."""
    extensions: tuple[str, ...]

    verified_at: Moment | None = None
    s3_expected: bool = False
    uploaded_at: Moment | None = None
    restored_at: Moment | None = None
    first_created_at: Moment | None = None
    last_restored_at: Moment | None = None

    @classmethod
    def parse(cls, text: bytes) -> Self | None:
        """None for what makes no sense."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None

    def dump(self) -> bytes:
        return self.model_dump_json(indent=2).encode() + b"\n"

    def stating(self, **moments: datetime | None) -> Self:
        """A copy with other `verified_at`, `uploaded_at` or `restored_at`."""
        return self.model_copy(update=moments)

    @property
    def rows(self) -> int:
        return sum(self.row_counts.values())
