"""Signatures of backups: HMAC-SHA-256 of the manifest by BACKUP_KEY.

The manifest has the checksums of the dump and of the roles, and whose backup it is: one signature
covers all of it. Whoever can write to the bucket can write a dump and a manifest, but not this.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.backup import Backup
from posapp.backup.model.manifest import Manifest
from posapp.runtime.dev_secret import kept_secret
from posapp.settings import MIN_SECRET_LENGTH, Settings, secret_weakness

_LARGEST_KEY_FILE = 4096
"""Bytes."""


class SigningKey:
    """Signs manifests, and knows its own signatures."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    @classmethod
    def from_settings(cls, settings: Settings) -> SigningKey:
        """Returns the key in BACKUP_KEY; outside production else one that is made and kept in
        POS_DATA_DIR. Raises Refused."""
        if settings.backup_key is not None:
            return cls(settings.backup_key.get_secret_value())
        if settings.production:
            raise Refused("BACKUP_KEY: missing; make one with: openssl rand -hex 32")
        try:
            return cls(kept_secret(settings.pos_data_dir, "backup-key"))
        except OSError as error:
            raise Refused(f"POS_DATA_DIR: {settings.pos_data_dir}: {error.strerror}") from None

    @classmethod
    def from_file(cls, path: Path) -> SigningKey:
        """Returns the key in a file, the copy that is kept elsewhere. Raises Refused."""
        try:
            with path.open("rb") as file:
                text = file.read(_LARGEST_KEY_FILE).decode("ascii").strip()
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise Refused(f"{path}: not a key, which is plain text") from None
        if weakness := secret_weakness(text.removeprefix("BACKUP_KEY=")):
            raise Refused(f"{path}: not a key of {MIN_SECRET_LENGTH} characters: {weakness}")
        return cls(text.removeprefix("BACKUP_KEY="))

    def sign(self, manifest: Manifest) -> Manifest:
        """Returns the manifest as it is written, signed."""
        shown = manifest.masked()
        return shown.model_copy(update={"signature": self._digest(shown)})

    def has_signed(self, manifest: Manifest | None) -> bool:
        """Whether a manifest is, to the last letter, one that this key has signed."""
        return (
            manifest is not None
            and manifest.signature is not None
            and _same(manifest.signature, self._digest(manifest))
        )

    def resign(self, before: Manifest, after: Manifest) -> Manifest:
        """Returns `after`, a change of `before`: signed only where that one was."""
        return self.sign(after) if self.has_signed(before) else after

    def sign_text(self, text: str) -> str:
        """Returns the signature of a text, which says itself what it is about: as a manifest does,
        or the place of an object in a bucket."""
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()

    def has_signed_text(self, text: str, signature: str | None) -> bool:
        """Whether this key has signed a text."""
        return signature is not None and _same(signature, self.sign_text(text))

    def require(self, backup: Backup) -> None:
        """Raises BackupError for a backup that this key has not signed."""
        if not self.has_signed(backup.manifest):
            raise BackupError(
                f"{backup.location}: not signed by BACKUP_KEY: it is not ours, is from before there"
                " was a key, or was changed"
            )

    def _digest(self, manifest: Manifest) -> str:
        """Digests a manifest; what has its default does not count, so that a later version may add
        to manifests."""
        facts = manifest.model_dump(mode="json", exclude={"signature"}, exclude_defaults=True)
        return self.sign_text(json.dumps(facts, sort_keys=True, separators=(",", ":")))


def _same(stated: str, signature: str) -> bool:
    """Compares in constant time; what is stated may be any text."""
    return hmac.compare_digest(stated.encode(errors="replace"), signature.encode())
