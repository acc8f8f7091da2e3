"""The signing key of a development machine, made once and kept."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def development_secret(data_dir: Path) -> str:
    """The key in `data_dir/jwt-secret` (mode 0600), made when it is not there: 64 hex digits.

    Safe for several processes at once: the first to finish makes it, the others read that one.
    Raises OSError when the folder cannot be written.
    """
    path = data_dir / "jwt-secret"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        _write_once(path, secrets.token_hex(32))
    return path.read_text(encoding="ascii").strip()


def _write_once(path: Path, text: str) -> None:
    """Writes all of the file or nothing, and never over another."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".jwt-secret-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(name)
