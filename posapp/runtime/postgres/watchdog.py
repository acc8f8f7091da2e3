"""The watchdog: the process that PostgreSQL runs under.

    python -m posapp.runtime.postgres.watchdog POS_DATA_DIR [NAME=VALUE …]

It makes the data when there is none, starts the server, writes `ready` (or in one line what went
wrong) to its standard output, and stops the server when the last user has let go of the users'
lock, however that one ended: so nobody has to count, and a `kill -9` leaves nothing running.
Were the watchdog itself killed, the kernel would tell the server to stop.

SIGTERM stops the server at once (PostgreSQL's immediate shutdown). The first signal begins the
end; none that follows breaks it off.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

from posapp.runtime.child import child_command, describe_exit
from posapp.runtime.files import open_rotated
from posapp.runtime.locks import FileLock
from posapp.runtime.postgres.data_directory import READY, DataDirectory, EmbeddedPostgresError
from posapp.runtime.postgres.initdb import UnixUser, describe_failure, postgres, prepare_data

_SHUTDOWN = ((signal.SIGINT, 4.0), (signal.SIGQUIT, 1.5))
"""PostgreSQL's fast shutdown, then its immediate one, and how long each may take in seconds."""
_LOOK = 0.1
"""Seconds between two looks for a SIGTERM while the server is ending."""
_SOCKET_PATH_LIMIT = 107
"""Bytes; sun_path in unix(7) without its closing zero."""


class _Stop(BaseException):
    """Breaks off whatever the watchdog is waiting for."""


class Watchdog:
    """Runs one program of PostgreSQL after another, and ends the one that runs."""

    def __init__(self, directory: DataDirectory, settings: list[str]) -> None:
        self._directory = directory
        self._settings = dict(pair.split("=", 1) for pair in settings)
        self._child: subprocess.Popen[bytes] | None = None
        self._hurry = False
        self._ending = False

    def install_handlers(self) -> None:
        """Has a signal or the end of the last user break off `serve`."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGUSR1, self._stop)
        users = FileLock(self._directory.users_lock)
        threading.Thread(target=_wait_for_last, args=(users,), daemon=True).start()

    def run(self) -> None:
        """Starts the server and waits until it ends. `_Stop` breaks it off, and the server has then
        ended. Raises EmbeddedPostgresError."""
        sockets = None
        try:
            user = prepare_data(self._directory, self._run)
            sockets = _socket_folder(self._directory, user)
            with open_rotated(self._directory.log) as log:
                self._start(sockets, user, log)
                _report_start(READY)
                how = describe_exit(self._wait())
                log.write(f"posapp: PostgreSQL has ended: {how}\n".encode())
        finally:
            self.end()
            if sockets is not None:
                shutil.rmtree(sockets, ignore_errors=True)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._hurry |= number == signal.SIGTERM
        if not self._ending:
            self._ending = True
            raise _Stop

    def _run(self, program: list[str], user: UnixUser | None, output: IO[bytes]) -> int:
        self._spawn(program, user, output)
        try:
            return self._wait()
        finally:
            self.end()

    def _spawn(self, program: list[str], user: UnixUser | None, output: IO[bytes]) -> None:
        self._child = subprocess.Popen(
            child_command(program, signal.SIGINT, user),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
        )

    def _wait(self, seconds: float | None = None) -> int:
        assert self._child is not None
        code = self._child.wait(seconds)
        self._child = None
        return code

    def _start(self, sockets: Path, user: UnixUser | None, log: IO[bytes]) -> None:
        self._directory.forget_reused_pid()
        begin = log.seek(0, os.SEEK_END)
        self._spawn(postgres(self._directory.data, sockets, self._settings), user, log)
        limit = self._directory.start_limit
        for _ in range(int(limit / 0.02)):
            with suppress(subprocess.TimeoutExpired):
                code = self._wait(0.02)
                said = self._directory.log.read_bytes()[begin:]
                raise EmbeddedPostgresError(
                    describe_failure(self._directory, said, describe_exit(code))
                )
            server = self._directory.postmaster()
            if server is not None and server.ready:
                return
        raise EmbeddedPostgresError(
            f"{self._directory.data}: PostgreSQL is not ready after {limit:g} s;"
            f" see {self._directory.log}"
        )

    def end(self) -> None:
        """Ends the program that runs, if one does; nothing breaks this off."""
        if self._child is None:
            return
        self._ending = True
        for number, seconds in _SHUTDOWN:
            fast = number == signal.SIGINT
            if fast and self._hurry:
                continue
            self._child.send_signal(number)
            until = time.monotonic() + seconds
            while time.monotonic() < until and not (fast and self._hurry):
                with suppress(subprocess.TimeoutExpired):
                    self._wait(_LOOK)
                    return
        self._kill()

    def _kill(self) -> None:
        """Each process by its number: a frozen one does not notice that its parent is gone."""
        assert self._child is not None
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self._child.pid)
            for process in (parent, *parent.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self._wait()


def _wait_for_last(users: FileLock) -> None:
    users.acquire()
    os.kill(os.getpid(), signal.SIGUSR1)


def _socket_folder(directory: DataDirectory, user: UnixUser | None) -> Path:
    """`run/pg`, or a private folder in the system's temporary one where that path is too long or
    holds a comma, which ends a folder's name for PostgreSQL. It is the server's own."""
    folder = directory.sockets
    if "," in str(folder) or len(os.fsencode(folder / ".s.PGSQL.5432")) > _SOCKET_PATH_LIMIT:
        folder = Path(tempfile.mkdtemp(prefix="pos-"))
    folder.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(folder, *user)
    return folder


def _report_start(line: str) -> None:
    """Reports to the process that started the watchdog, and closes the pipe to it."""
    with suppress(BrokenPipeError):
        os.write(1, line.encode() + b"\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def main(data_dir: str, *settings: str) -> None:
    directory = DataDirectory(Path(data_dir))
    life = FileLock(directory.watchdog_lock)
    if not life.try_acquire():
        return  # another watchdog is at it; who asked looks again
    watchdog = Watchdog(directory, list(settings))
    try:
        watchdog.install_handlers()
        watchdog.run()
    except EmbeddedPostgresError as error:
        _report_start(str(error))
    except _Stop:
        pass
    finally:
        watchdog.end()  # a signal on the way to its first call would leave the server running


if __name__ == "__main__":
    main(*sys.argv[1:])
