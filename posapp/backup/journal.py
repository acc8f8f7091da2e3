"""What a run says to its log, and to who stands before it.

The log is BACKUP_LOG; by default /var/log/steak-kenangan/backup.log where that folder is there to
be written, else backup.log in BACKUP_DIR.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import click

from healthkit.fields import format_size
from posapp.backup.model.backup import clock_time
from posapp.runtime.files import open_rotated
from posapp.settings import Settings

SYSTEM_LOGS = Path("/var/log/steak-kenangan")

Clock = Callable[[], datetime]


def log_file(settings: Settings) -> Path:
    if settings.backup_log is not None:
        return settings.backup_log
    there = SYSTEM_LOGS.is_dir() and os.access(SYSTEM_LOGS, os.W_OK)
    return (SYSTEM_LOGS if there else settings.backup_dir) / "backup.log"


@dataclass
class Journal:
    """Lines with Jakarta's time before them, on the standard output and in the log; and on a
    terminal how far it is."""

    log: Path
    clock: Clock
    _shown: float = field(default=0.0, init=False)
    _began: float = field(default_factory=time.monotonic, init=False)

    def line(self, text: str) -> None:
        stamped = f"[{clock_time(self.clock())}] {text}"
        self._clear()
        click.echo(stamped)
        try:
            with open_rotated(self.log) as file:
                file.write(f"{stamped}\n".encode())
        except OSError as error:
            click.echo(f"{self.log}: {error.strerror}; this line is not in it", err=True)

    def progress(self, done: int) -> None:
        """Bytes of SQL so far; twice a second, and to people alone."""
        now = time.monotonic()
        if now - self._shown < 0.5 or not sys.stderr.isatty():
            return
        if not self._shown:
            self._began = now
        self._shown = now
        rate = done / max(0.5, now - self._began)
        text = f"\r  {format_size(done)}, {format_size(rate)}/s\x1b[K"
        click.echo(text, err=True, nl=False)

    def _clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._shown = 0.0
