"""Where an SQLite store lies: never by the working directory, which differs between a service, its
watcher and who types a command."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL

_PLAIN = re.compile(r"sqlite://(?:/[^?]*+)?")
_RELATIVE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|file:|:memory:)(.+)", re.DOTALL)


def is_plain(address: str) -> bool:
    """Returns whether a store's address is a file of SQLite's, and has nothing else in it."""
    return bool(_PLAIN.fullmatch(address)) and address.isprintable()


def refuse_unusable(url: URL) -> None:
    """Raises ValueError for an address of SQLite that it cannot open, whatever the file; its text
    has nothing of the address. SQLAlchemy would say so only when the store is opened."""
    from sqlalchemy.exc import ArgumentError

    if url.get_backend_name() != "sqlite":
        return
    try:
        url.get_dialect()().create_connect_args(url)
    except ArgumentError:
        raise ValueError("SQLite has no host; write it like sqlite:////srv/store.db") from None
    except (TypeError, ValueError):  # the former where one is given twice
        raise ValueError("a parameter has a value that SQLite does not take") from None


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
