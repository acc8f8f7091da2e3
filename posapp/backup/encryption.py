"""The keys of encryption at rest: age (https://age-encryption.org/v1), by pyrage."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pyrage import IdentityError, RecipientError, x25519

from posapp.backup.errors import Refused

_LARGEST_FILE = 65_536
"""Bytes; what is longer is none."""


def load_recipient(text: str) -> x25519.Recipient:
    """Parses BACKUP_AGE_RECIPIENT, the key that backups are encrypted for. Raises Refused."""
    try:
        return x25519.Recipient.from_str(text.strip())
    except RecipientError:
        raise Refused(
            "BACKUP_AGE_RECIPIENT: not a public key of age; it begins with age1, as age-keygen"
            " prints it"
        ) from None


def load_identity(path: Path | None) -> list[x25519.Identity]:
    """Loads the age identities in the file BACKUP_AGE_IDENTITY: the one of now, and those of what
    is older. Raises Refused."""
    if path is None:
        raise Refused(
            "the backup is encrypted: BACKUP_AGE_IDENTITY has to name the file of its key"
        )
    try:
        with path.open("rb") as file:
            lines = file.read(_LARGEST_FILE).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise Refused(f"BACKUP_AGE_IDENTITY: {path}: {reason}") from None
    found: list[x25519.Identity] = []
    for line in lines:
        with suppress(IdentityError):  # a comment, or a key of another kind
            found.append(x25519.Identity.from_str(line.strip()))
    if not found:
        raise Refused(
            f"BACKUP_AGE_IDENTITY: {path}: no key of age in it; it begins with AGE-SECRET-KEY-"
        )
    return found
