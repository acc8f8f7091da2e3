"""The embedded PostgreSQL for whoever needs it: started when it is not running, shared when it is,
stopped by its watchdog when the last user has left."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from posapp.runtime.child import base_environment
from posapp.runtime.files import open_rotated
from posapp.runtime.locks import FileLock
from posapp.runtime.postgres.data_directory import (
    READY,
    START_LIMIT,
    DataDirectory,
    EmbeddedPostgresError,
    Postmaster,
)

if TYPE_CHECKING:  # the watchdog imports this package too, and has to be quick
    from sqlalchemy.engine import URL

    from posapp.settings import Settings

DATABASE = "steak_kenangan"
_STOP_LIMIT = 10.0


@dataclass(frozen=True)
class Server:
    """A server in use. It stays as long as the lock is held, through `exec` too when its
    descriptor is made inheritable."""

    url: URL
    pid: int
    log: Path
    lock: FileLock
    watchdog: subprocess.Popen[str] | None
    """None when another process has started it."""


@contextmanager
def use_embedded_database(
    data_dir: Path, settings: Mapping[str, str] | None = None
) -> Iterator[URL]:
    """The URL of the database on the server under `data_dir`.

    `settings` are PostgreSQL's own, for a server that is started here. Raises
    EmbeddedPostgresError.
    """
    with use_server(data_dir, settings) as one:
        yield one.url


@contextmanager
def use_database(settings: Settings) -> Iterator[URL]:
    """The database that the settings name, or else the embedded one.

    Raises EmbeddedPostgresError.
    """
    if settings.database is not None:
        yield settings.database
    else:
        with use_embedded_database(settings.pos_data_dir) as url:
            yield url


@contextmanager
def use_server(data_dir: Path, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """As `use_embedded_database`, for callers that watch the server or hand it on.

    Raises EmbeddedPostgresError.
    """
    if not sys.platform.startswith("linux"):
        raise EmbeddedPostgresError("the embedded PostgreSQL needs Linux; set DATABASE_URL")
    directory = DataDirectory(data_dir.resolve())
    directory.make_folders()
    users = FileLock(directory.users_lock)
    watchdog: subprocess.Popen[str] | None = None
    since = directory.log.stat().st_size
    try:
        users.acquire_shared()  # waits while a watchdog is stopping the server
        postmaster, watchdog = _find_or_start(directory, settings or {})
        yield Server(_database(postmaster), postmaster.pid, directory.log, users, watchdog)
    except Exception as error:
        if directory.disk_filled_up(since):
            raise EmbeddedPostgresError(directory.disk_full()) from error
        raise
    finally:
        users.close()
        if _stopped(directory) and watchdog is not None:
            watchdog.wait()


def _find_or_start(
    directory: DataDirectory, settings: Mapping[str, str]
) -> tuple[Postmaster, subprocess.Popen[str] | None]:
    watchdog: subprocess.Popen[str] | None = None
    until = time.monotonic() + START_LIMIT
    while time.monotonic() < until:
        postmaster = directory.postmaster()
        if postmaster is not None and postmaster.ready:
            return postmaster, watchdog
        if postmaster is None and watchdog is None and not _held(directory.watchdog_lock):
            watchdog = _start(directory, settings)
        else:
            time.sleep(0.02)
    raise EmbeddedPostgresError(f"{directory.data}: PostgreSQL is not ready; see {directory.log}")


def _start(directory: DataDirectory, settings: Mapping[str, str]) -> subprocess.Popen[str] | None:
    """Starts a watchdog and waits for its answer; None when another watchdog was there first."""
    pairs = [f"{name}={value}" for name, value in settings.items()]
    with open_rotated(directory.log) as log:
        watchdog = subprocess.Popen(
            [sys.executable, "-m", "posapp.runtime.postgres.watchdog", str(directory.root), *pairs],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env=base_environment(os.environ),
            text=True,
            start_new_session=True,  # a Ctrl-C is for us, who then stop it in good order
        )
    assert watchdog.stdout is not None
    with watchdog.stdout as answers:
        answer = answers.readline().strip()
    if answer == READY:
        return watchdog
    code = watchdog.wait()
    if answer or code:
        raise EmbeddedPostgresError(
            answer or f"PostgreSQL's watchdog has failed; see {directory.log}"
        )
    return None


def _database(postmaster: Postmaster) -> URL:
    """The application's database, made when it is not there. Raises EmbeddedPostgresError."""
    _create_database(postmaster)
    return _url(postmaster)


def running_database(data_dir: Path) -> URL | None:
    """The database of a server that runs under `data_dir`, which is neither asked nor kept; None
    where none runs."""
    postmaster = DataDirectory(data_dir.resolve()).postmaster()
    return _url(postmaster) if postmaster is not None and postmaster.ready else None


def _url(postmaster: Postmaster) -> URL:
    from sqlalchemy.engine import URL

    return URL.create(
        "postgresql+psycopg2",
        username="postgres",
        database=DATABASE,
        query={"host": postmaster.socket_dir, "port": str(postmaster.port)},
    )


def _create_database(postmaster: Postmaster) -> None:
    import psycopg2

    try:
        connection = psycopg2.connect(
            host=postmaster.socket_dir, port=postmaster.port, user="postgres", dbname="postgres"
        )
        connection.autocommit = True
        try:
            # Who comes second learns it from the catalogue's own index when both are quick.
            taken = (psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation)
            with connection.cursor() as cursor, suppress(*taken):
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise EmbeddedPostgresError(f"PostgreSQL: {' '.join(str(error).split())}") from None


def _held(path: Path) -> bool:
    lock = FileLock(path)
    try:
        return lock.held_by_other() is not None
    finally:
        lock.close()


def _stopped(directory: DataDirectory) -> bool:
    """Waits until the watchdog has gone; False when others still use the server."""
    users = FileLock(directory.users_lock)
    until = time.monotonic() + _STOP_LIMIT
    try:
        while _held(directory.watchdog_lock):
            if users.held_by_other() == fcntl.F_RDLCK or time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True
    finally:
        users.close()
