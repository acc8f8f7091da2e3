"""The signing key of a development machine, made once and kept."""

from __future__ import annotations

import secrets
from pathlib import Path

from posapp.runtime.files import create_atomically


def development_secret(data_dir: Path) -> str:
    """The key in `data_dir/jwt-secret` (mode 0600), made when it is not there: 64 hex digits.

    Safe for several processes at once: the first to finish makes it, the others read that one.
    Raises OSError when the folder cannot be written.
    """
    path = data_dir / "jwt-secret"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        create_atomically(path, f"{secrets.token_hex(32)}\n")
    return path.read_text(encoding="ascii").strip()
