"""What a run says: to its log, to who stands before it, and to those who are not there.

The log is BACKUP_LOG; by default /var/log/steak-kenangan/backup.log where that folder is there to
be written, else backup.log in BACKUP_DIR.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from healthkit import Health
from healthkit.problems import HealthkitError
from healthkit.units import format_size
from posapp import demo
from posapp.backup.names import clock_time
from posapp.embedded import open_log
from posapp.settings import Settings

SYSTEM_LOGS = Path("/var/log/steak-kenangan")
_WEBHOOK_LIMIT = 10.0
"""Seconds."""

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
            with open_log(self.log) as file:
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


def call_webhook(settings: Settings, event: str, text: str, **more: Any) -> str | None:
    """POSTs what has happened to ALERT_WEBHOOK, where one is set; what went wrong, or None.

    `text` and `content` are what Slack, Mattermost and Discord show.
    """
    if settings.alert_webhook is None:
        return None
    body = {"event": event, "text": text, "content": text, "service": "Steak Kenangan POS", **more}
    url = settings.alert_webhook.get_secret_value()
    try:
        if not url.startswith(("http://", "https://")):
            raise ValueError("not a web address")
        request = urllib.request.Request(  # noqa: S310  checked above
            url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=_WEBHOOK_LIMIT).close()  # noqa: S310
    except (OSError, ValueError) as error:
        return f"ALERT_WEBHOOK was not told: {error}".replace(url, "(its address)")
    return None


def beat(settings: Settings, environ: Mapping[str, str], name: str) -> str | None:
    """A heartbeat to healthkit, where its configuration has a check of that name; what went
    wrong, or None. A backup that is made does not fail by it."""
    told = {**environ, "DATABASE_URL": environ.get("DATABASE_URL") or "postgresql:///embedded"}
    if settings.database is None:
        data = settings.pos_data_dir.resolve()
        told.setdefault("HEALTHKIT_STORE", f"sqlite:///{data}/healthkit.db")
    try:
        health = Health.from_file(demo.health_config(settings), environ=told)
        with suppress(KeyError):
            health.beat(name)
        health.stop()
    except (HealthkitError, OSError) as error:
        return f"healthkit was not told: {' '.join(str(error).split())}"
    return None
