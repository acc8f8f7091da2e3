"""Tells those who are not there: ALERT_WEBHOOK, and healthkit.

A backup that is made does not fail because somebody could not be told of it.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from healthkit import Health
from healthkit.errors import HealthkitError
from posapp.runtime import processes
from posapp.settings import Settings

Say = Callable[[str], None]
Told = TypeVar("Told")

_WEBHOOK_LIMIT = 10.0
"""Seconds."""
_SILENCE = timedelta(minutes=2)


def call_webhook(settings: Settings, say: Say, event: str, text: str, **more: Any) -> None:
    """POSTs what has happened, where ALERT_WEBHOOK is set.

    `text` and `content` are what Slack, Mattermost and Discord show.
    """
    if settings.alert_webhook is None:
        return
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
        say(f"ALERT_WEBHOOK was not told: {error}".replace(url, "(its address)"))


def beat(settings: Settings, environ: Mapping[str, str], say: Say, name: str) -> None:
    """A heartbeat, where healthkit's configuration has a check of that name."""

    def told(health: Health) -> None:
        with suppress(KeyError):
            health.beat(name)

    _tell(settings, environ, say, told)


@contextmanager
def silenced(settings: Settings, environ: Mapping[str, str], say: Say) -> Iterator[None]:
    """Nobody is alarmed meanwhile, nor for longer than two minutes if this is killed."""

    def add(health: Health) -> int:
        return health.silence(_SILENCE, reason="a restore", by="posapp restore")

    number = _tell(settings, environ, say, add)

    def end(health: Health) -> None:
        health.end_silence(number or 0)

    try:
        yield
    finally:
        _tell(settings, environ, say, end)


def _tell(
    settings: Settings, environ: Mapping[str, str], say: Say, act: Callable[[Health], Told]
) -> Told | None:
    """None where healthkit is not configured as it should be, which is said."""
    told = processes.with_health_store(
        {"DATABASE_URL": "postgresql:///embedded", **environ}, settings
    )
    try:
        health = Health.from_file(processes.health_config_path(settings), environ=told)
        try:
            return act(health)
        finally:
            health.stop()
    except (HealthkitError, SQLAlchemyError, OSError) as error:
        say(f"healthkit was not told: {' '.join(str(error).split())}")
        return None
