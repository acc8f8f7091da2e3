"""The check type `process`: processes run, as many as ought to, and hold no more than they may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import psutil
from pydantic import Field, model_validator

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.fields import Size, format_size

_LONGEST_PID = 20
_KERNELS = 15
_TOLERANCE = 2.0
"""Seconds by which a process may seem younger than the file that it has written."""


@dataclass(frozen=True, slots=True)
class FoundProcess:
    """A process that runs: its number, and its memory (resident, in bytes)."""

    pid: int
    memory: int


class Process(Check):
    """Finds processes by `name` (as `ps -o comm` has it), by `contains` (text in the command line),
    or one by `pidfile`; `least` to `most` of them have to run, with `max_memory` bytes together.
    Zombies do not run. A pidfile whose process has started after it was written is a stale one.
    """

    name: Annotated[str, Field(min_length=1)] | None = None
    """The name of the program, as `ps -o comm` has it."""
    contains: Annotated[str, Field(min_length=1)] | None = None
    """A text in its command line."""
    pidfile: Path | None = None
    """The file with its number."""
    least: Annotated[int, Field(ge=0)] = 1
    """How many have to run."""
    most: Annotated[int, Field(ge=0)] | None = None
    """How many may run."""
    max_memory: Size | None = None
    """The memory that they may hold together."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.pidfile is None) is (self.name is None and self.contains is None):
            raise ValueError("say either pidfile, or name or contains or both")
        if self.most is not None and self.most < self.least:
            raise ValueError(f"most ({self.most}) must not be less than least ({self.least})")
        return self

    def run(self, context: CheckContext) -> Outcome:
        if self.pidfile is None:
            return evaluate(list(_matching(self.name, self.contains)), self)
        found = _of_pidfile(self.pidfile)
        if isinstance(found, str):
            return Outcome.unhealthy(found)
        return evaluate([found], self)

    def target(self) -> str:
        return str(self.pidfile or self.name or self.contains)


def evaluate(found: Iterable[FoundProcess], limits: Process) -> Outcome:
    """Returns the outcome of the processes that were found; memory in bytes."""
    processes = list(found)
    count, memory = len(processes), sum(one.memory for one in processes)
    details = {"count": count, "memory_bytes": memory}
    runs = "1 process runs" if count == 1 else f"{count} processes run"
    if count < limits.least:
        return Outcome.unhealthy(f"{runs}, at least {limits.least} must", **details)
    if limits.most is not None and count > limits.most:
        return Outcome.unhealthy(f"{runs}, at most {limits.most} may", **details)
    if limits.max_memory is not None and memory > limits.max_memory:
        allowed = format_size(limits.max_memory)
        said = f"{format_size(memory)} of memory, at most {allowed} may be held"
        return Outcome.unhealthy(said, **details)
    return Outcome.healthy(f"{runs}, {format_size(memory)} of memory", **details)


def _matching(name: str | None, contains: str | None) -> Iterator[FoundProcess]:
    for process in psutil.process_iter():
        try:
            with process.oneshot():
                if name is not None and not is_named(process.name(), name):
                    continue
                if contains is not None and contains not in " ".join(process.cmdline()):
                    continue
                if (found := _found(process)) is not None:
                    yield found
        except psutil.Error:
            continue  # it has ended meanwhile, or is another user's


def is_named(full: str, wanted: str) -> bool:
    """Whether a program has a name; of a longer one the first 15 characters do, which is what the
    kernel keeps and `ps` shows."""
    return full == wanted or (len(wanted) == _KERNELS and full.startswith(wanted))


def _of_pidfile(path: Path) -> FoundProcess | str:
    """Returns the process that a file names, or why there is none."""
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_PID + 1).strip()
            written = path.stat().st_mtime
        pid = int(text) if len(text) <= _LONGEST_PID and text.isdigit() else 0
        if not 0 < pid < 2**31:
            return f"{path}: holds no process number"
        process = psutil.Process(pid)
        if process.create_time() > written + _TOLERANCE:
            return f"{path}: stale, another process has the number {pid} now"
        return _found(process) or f"{path}: process {pid} has ended"
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        return f"{path}: {'does not exist' if missing else error.strerror}"
    except psutil.NoSuchProcess:
        return f"{path}: no process has the number {pid}"
    except psutil.Error as error:
        return f"{path}: process {pid} cannot be looked at: {type(error).__name__}"


def _found(process: psutil.Process) -> FoundProcess | None:
    """Returns what a process holds; None for a zombie. Raises psutil.Error."""
    if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
        return None
    return FoundProcess(process.pid, int(process.memory_info().rss))


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"process": Process}
