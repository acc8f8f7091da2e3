"""Which server runs on a data folder and port: known by a lock that ends with it, never by a
number in a file, which may be another program's after a power cut."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from posapp.runtime.errors import CommandError
from posapp.runtime.files import private_folder
from posapp.runtime.locks import FileLock

WORKERS_END = 5.0
"""Seconds that workers whose master was killed may take to notice, and to let go of the lock."""

_held: dict[Path, FileLock] = {}


class AlreadyRunning(CommandError):
    """Another server has this port of this folder."""


class NotRunning(CommandError):
    """No server runs here that could be spoken to."""


def lock_path(data_dir: Path, port: int) -> Path:
    return data_dir.resolve() / "run" / f"gunicorn-{port}.lock"


def hold(path: Path) -> bool:
    """Makes this process the one server of `path`, until it and its workers have ended, also
    through `exec`. False where no lock can be kept (a read-only file system).

    Raises AlreadyRunning.
    """
    if path in _held:
        return True
    try:
        private_folder(path.parent)
        lock = FileLock(path)
    except OSError:
        return False
    until = time.monotonic() + WORKERS_END
    while not lock.try_acquire():
        if (pidfd := _holder(path)) is not None or time.monotonic() > until:
            if pidfd is not None:
                os.close(pidfd)
            lock.close()
            raise AlreadyRunning(
                f"{path}: held by another server; stop it, or choose another PORT or POS_DATA_DIR"
            )
        time.sleep(0.05)
    path.write_text(f"{os.getpid()}\n")
    os.set_inheritable(lock.fileno(), True)
    _held[path] = lock
    return True


def send_signal(path: Path, number: signal.Signals) -> None:
    """Sends a signal to the server of `path` and to nobody else. Raises NotRunning."""
    pidfd = _holder(path)
    if pidfd is None:
        raise NotRunning(
            f"no server of this user runs on {path.parent.parent} with this PORT;"
            " set POS_DATA_DIR and PORT as it has them, or start it: posapp serve"
        )
    try:
        signal.pidfd_send_signal(pidfd, number)
    finally:
        os.close(pidfd)


def _holder(path: Path) -> int | None:
    """A pidfd of the process that the lock's file names, if that one has the file open."""
    with suppress(OSError, ValueError, OverflowError):
        pid = int(path.read_text())
        pidfd = os.pidfd_open(pid)
        if _has_open(pid, path.stat()):
            return pidfd
        os.close(pidfd)
    return None


def _has_open(pid: int, file: os.stat_result) -> bool:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if os.path.samestat(descriptor.stat(), file):
                return True
    return False
