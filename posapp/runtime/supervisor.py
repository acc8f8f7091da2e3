"""Parts that live and die together: the programs of the POS under one parent.

One that ends takes the others with it and is named; Ctrl-C or SIGTERM ends them in order, the
database last, and a second one kills. A part also ends when its parent does, however that one does.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Self

from posapp.runtime.child import child_command, describe_exit
from posapp.runtime.errors import CommandError
from posapp.runtime.files import open_rotated
from posapp.runtime.postgres import Server

STOP_LIMIT = 4.0
"""Seconds that the parts have to end by themselves; the database has its own after that."""

_STOPPERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TAIL = 40
"""Lines of a log that are shown when its part has ended."""


class ShutdownRequested(BaseException):
    """Ctrl-C or SIGTERM: breaks off whatever is waited for."""


class ProgramExited(CommandError):
    """A part has ended, or does not answer, that should."""

    exit_code = 1

    def __init__(self, what: str, log: Path) -> None:
        super().__init__(what)
        self.log = log

    def lines(self) -> list[str]:
        """Names the program, with the end of its log for people: more has come there since."""
        try:
            tail = self.log.read_text(errors="replace").splitlines()[-_TAIL:]
        except OSError:
            tail = []
        return [f"{self}; the rest is stopped. The end of {self.log}:", *tail]


@dataclass(frozen=True)
class Program:
    """A program that runs as long as the POS does; its log has the same name."""

    name: str
    command: list[str]


@dataclass(frozen=True)
class _Running:
    name: str
    log: Path
    pidfd: int
    process: subprocess.Popen[bytes] | None = None
    """None for the database, which is not a child of ours."""

    def exit_description(self) -> str:
        return describe_exit(self.process.wait()) if self.process else "by itself"


class Supervisor:
    """Watches parts from `start` to `stop`. As a context manager it answers the signals."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._parts: list[_Running] = []
        self._database: Server | None = None
        self._stopping = False
        self._handlers: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        self._handlers = {number: signal.signal(number, self._on_signal) for number in _STOPPERS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stopping:
            self._kill()
        else:
            self._stopping = True
            raise ShutdownRequested

    def watch(self, database: Server) -> None:
        """Counts the database as a part, which its watchdog stops. Raises ProgramExited."""
        self._database = database
        try:
            pidfd = os.pidfd_open(database.pid)
        except ProcessLookupError:
            raise ProgramExited("PostgreSQL has ended", database.log) from None
        self._parts.append(_Running("PostgreSQL", database.log, pidfd))

    def start(self, part: Program, environ: Mapping[str, str]) -> None:
        log = self.logs / f"{part.name}.log"
        with open_rotated(log) as output:
            process = subprocess.Popen(
                child_command(part.command, signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environ),
                start_new_session=True,  # Ctrl-C is for the parent, and `_kill` for all of a part
            )
        self._parts.append(_Running(part.name, log, os.pidfd_open(process.pid), process))

    def wait(self, seconds: float | None = None) -> None:
        """For so long, or for ever. Raises ProgramExited as soon as a part has ended."""
        ready, _, _ = select.select([part.pidfd for part in self._parts], [], [], seconds)
        for part in self._parts:
            if part.pidfd in ready:
                raise ProgramExited(f"{part.name} has ended ({part.exit_description()})", part.log)

    def stop(self) -> None:
        """Ends the parts but the database: at first kindly, all at once, after `STOP_LIMIT` not."""
        self._stopping = True
        until = time.monotonic() + STOP_LIMIT
        processes = [part.process for part in self._parts if part.process]
        for process in processes:
            process.terminate()
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
        self._kill_parts()
        for process in processes:
            process.wait()
        for part in self._parts:
            os.close(part.pidfd)
        self._parts.clear()

    def _kill(self) -> None:
        self._kill_parts()
        if self._database is not None and self._database.watchdog is not None:
            self._database.watchdog.terminate()

    def _kill_parts(self) -> None:
        for part in self._parts:
            if part.process is not None:
                with suppress(ProcessLookupError):
                    os.killpg(part.process.pid, signal.SIGKILL)
