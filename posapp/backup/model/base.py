"""A base backup's own manifest, `base.json`, and the names of what is received: pure."""

from __future__ import annotations

import json
import re
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from posapp.backup.model.manifest import Bytes, UtcDatetime

MANIFEST, ARCHIVE = "base.json", "base.tar.gz"
LARGEST_BASE_MANIFEST = 65_536
"""Bytes; what is longer is none."""
DEFAULT_SEGMENT = 16 << 20
"""Bytes of a segment of WAL, unless the server was made with another size."""

Segment = Annotated[str, Field(pattern=r"^[0-9A-F]{24}$")]


class BaseManifest(BaseModel):
    """The facts about a base backup; times are UTC."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ended_at: UtcDatetime
    size_bytes: Bytes
    """Of the archive."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the archive."""
    tar_bytes: Bytes
    """Of the tar in it: about what the server's files take."""
    encrypted: bool
    identity: str | None
    """Of the restaurant's data."""
    system_identifier: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] | None
    """Of the server."""
    server_version: str
    first_segment: Segment
    """The first segment of WAL that recovery needs."""
    segment_bytes: Annotated[int, Field(ge=1 << 20, le=1 << 30)]
    signature: str | None = None
    """HMAC-SHA-256 of all the rest by BACKUP_KEY."""

    @classmethod
    def parse(cls, text: bytes) -> Self | None:
        """Returns the manifest in a JSON text; None for a text that is none."""
        try:
            return cls.model_validate_json(text) if len(text) <= LARGEST_BASE_MANIFEST else None
        except (ValidationError, RecursionError):
            return None

    def dump(self) -> bytes:
        """Returns it as JSON."""
        return self.model_dump_json(indent=2).encode() + b"\n"

    @property
    def archive(self) -> str:
        """The name of the archive."""
        return f"{ARCHIVE}.age" if self.encrypted else ARCHIVE

    @property
    def signed_text(self) -> str:
        """All that the signature covers."""
        facts = self.model_dump(mode="json", exclude={"signature"})
        return f"base backup {json.dumps(facts, sort_keys=True)}"


SEGMENT = re.compile(r"(?P<name>[0-9A-F]{24})(?P<partial>\.partial)?(?P<packed>\.gz(\.age)?)?")
"""Of a file of WAL: as pg_receivewal names it, and packed. A partial one is still written to."""
HISTORY = re.compile(r"[0-9A-F]{8}\.history(\.gz(\.age)?)?")
"""Of the history of a timeline, which is received too."""


SIGNATURE = ".sig"
"""After the name of a file that was received: its signature."""


def is_received(name: str) -> bool:
    """Whether a file is one that the receiver has made."""
    return bool(SEGMENT.fullmatch(name) or HISTORY.fullmatch(name))
