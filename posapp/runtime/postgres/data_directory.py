"""The data directory of the embedded PostgreSQL, and who holds it.

POS_DATA_DIR/postgres/   the data
POS_DATA_DIR/run/        locks, 0700
POS_DATA_DIR/run/pg/     the socket, 0700 and the server's: who may enter it may use the database
POS_DATA_DIR/log/        postgres.log
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from posapp.runtime.errors import CommandError
from posapp.runtime.files import open_private, private_folder

READY = "ready"
"""The watchdog's answer when the server can be used."""
START_LIMIT = 60.0
"""Seconds; recovery after a crash is part of it."""

RECOVERY_LIMIT = 3600.0
"""Seconds; to recover to a point in time, a day's changes may have to be read again."""

DISK_FULL = re.compile(
    rb"No space left on device|Disk quota exceeded|Check free disk space"  # PostgreSQL's hint
)


class EmbeddedPostgresError(CommandError):
    """The embedded PostgreSQL cannot be used. The message is one line that says what to do."""


@dataclass(frozen=True)
class Postmaster:
    """A running server, as its postmaster.pid describes it."""

    pid: int
    socket_dir: str
    port: int
    ready: bool


@dataclass(frozen=True)
class DataDirectory:
    """The paths under one POS_DATA_DIR, which is absolute."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "postgres"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log" / "postgres.log"

    @property
    def sockets(self) -> Path:
        return self.run / "pg"

    @property
    def users_lock(self) -> Path:
        """Held shared by whoever uses the server; exclusively by its watchdog to stop it."""
        return self.run / "users.lock"

    @property
    def watchdog_lock(self) -> Path:
        """Held exclusively by the watchdog for as long as it lives."""
        return self.run / "guard.lock"

    @property
    def start_limit(self) -> float:
        """Seconds; PostgreSQL removes the signal when it has recovered."""
        recovering = (self.data / "recovery.signal").exists()
        return RECOVERY_LIMIT if recovering else START_LIMIT

    def make_folders(self) -> None:
        """Raises EmbeddedPostgresError."""
        try:
            private_folder(self.run)
            private_folder(self.log.parent)
            for path in (self.users_lock, self.watchdog_lock, self.log):
                open(path, "ab", opener=open_private).close()
        except OSError as error:
            raise EmbeddedPostgresError(
                f"{self.root}: {error.strerror}; set POS_DATA_DIR to a folder that you may write"
            ) from None

    def disk_filled_up(self, since: int) -> bool:
        """Whether the server has reported a full disk; `since` is the log's size at the start."""
        with suppress(OSError), self.log.open("rb") as file:
            file.seek(since)
            return DISK_FULL.search(file.read()) is not None
        return False

    def disk_full(self) -> str:
        return f"{self.root}: the disk is full; PostgreSQL needs 100 MB to begin with"

    def forget_reused_pid(self) -> None:
        """Removes a postmaster.pid whose number another program has by now (after a restart of
        the machine, say), be it a PostgreSQL on other data: this one would not start. Only for
        whoever holds the watchdog's lock."""
        path = self.data / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError, psutil.Error):
            if not _may_be_on(psutil.Process(int(path.read_text().splitlines()[0])), self.data):
                path.unlink()

    def postmaster(self) -> Postmaster | None:
        """The server that runs on the data, if one does."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
            if not _is_postgres(pid, self.data):
                return None
            ready = len(lines) > 7 and lines[7].strip() == "ready"
            return Postmaster(pid, lines[4].strip(), int(lines[3]), ready)
        except (OSError, ValueError, IndexError):  # none, or still being written
            return None


def _may_be_on(process: psutil.Process, data: Path) -> bool:
    """Whether a process could be a server on `data`: in doubt it is, for two servers on the same
    data destroy it. A server works in its data folder."""
    if process.name() != "postgres":
        return False
    try:
        return Path(process.cwd()) == data.resolve()
    except psutil.AccessDenied:
        return True


def _is_postgres(pid: int, data: Path) -> bool:
    """Whether a process is a server on `data`: its number alone may long be somebody else's.

    Decided by its command line, which anybody may read; where it works only root with
    CAP_SYS_PTRACE may see, and in a container that one is missing.
    """
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and str(data) in process.cmdline()
    except psutil.Error:
        return False
