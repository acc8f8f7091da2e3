"""The signing keys of a development machine, made once and kept."""

from __future__ import annotations

import secrets
from pathlib import Path

from posapp.runtime.files import create_atomically, private_folder


def development_secret(data_dir: Path) -> str:
    """The key of tokens; see `kept_secret`. Raises OSError."""
    return kept_secret(data_dir, "jwt-secret")


def kept_secret(data_dir: Path, name: str) -> str:
    """The key in the file `data_dir/name` (mode 0600), made when it is not there: 64 hex digits.

    Safe for several processes at once: the first to finish makes it, the others read that one.
    Raises OSError when the folder cannot be written.
    """
    path = data_dir / name
    if not path.exists():
        private_folder(data_dir)
        create_atomically(path, f"{secrets.token_hex(32)}\n")
    return path.read_text(encoding="ascii").strip()
