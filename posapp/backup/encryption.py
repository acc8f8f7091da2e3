"""The keys of encryption at rest: age (https://age-encryption.org/v1), by pyrage."""

from __future__ import annotations

from pathlib import Path

from pyrage import IdentityError, RecipientError, x25519

from posapp.backup.errors import Refused


def load_recipient(text: str) -> x25519.Recipient:
    """Parses BACKUP_AGE_RECIPIENT, the key that backups are encrypted for. Raises Refused."""
    try:
        return x25519.Recipient.from_str(text.strip())
    except RecipientError:
        raise Refused(
            "BACKUP_AGE_RECIPIENT: not a public key of age; it begins with age1, as age-keygen"
            " prints it"
        ) from None


def load_identity(path: Path | None) -> x25519.Identity:
    """Loads the first age identity from the file BACKUP_AGE_IDENTITY. Raises Refused."""
    if path is None:
        raise Refused(
            "the backup is encrypted: BACKUP_AGE_IDENTITY has to name the file of its key"
        )
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise Refused(f"BACKUP_AGE_IDENTITY: {path}: {reason}") from None
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        return x25519.Identity.from_str(keys[0] if keys else "")
    except IdentityError:
        raise Refused(
            f"BACKUP_AGE_IDENTITY: {path}: no key of age in it; it begins with AGE-SECRET-KEY-"
        ) from None
