"""Where an SQLite store lies: never by the working directory, which differs between a service, its
watcher and who types a command."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

_RELATIVE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|file:|:memory:)(.+)", re.DOTALL)


def beside(url: str, folder: Path) -> str:
    """Returns a store's address with a relative path of SQLite taken from `folder`."""
    found = _RELATIVE_FILE.fullmatch(url)
    return f"{found[1]}{folder / found[2]}" if found else url


def of_service(name: str, environ: Mapping[str, str]) -> str:
    """Returns the address of a service's store among the user's own files of state, as the XDG Base
    Directory Specification has them."""
    state = environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    file = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "service"
    return f"sqlite:///{Path(state) / 'healthkit' / file}.db"
