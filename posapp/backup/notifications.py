"""Sends notifications to ALERT_WEBHOOK and to healthkit.

A failed notification never fails the backup.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException
from typing import TypeVar
from urllib.error import HTTPError

from sqlalchemy.exc import SQLAlchemyError

from healthkit import Health
from healthkit.errors import HealthkitError
from healthkit.fields import format_duration
from healthkit.masking import mask, one_line
from posapp.runtime import processes
from posapp.settings import Settings

Log = Callable[[str], None]
T = TypeVar("T")

_WEBHOOK_TIMEOUT = 10.0
"""Seconds."""
SENDER = "notification"
"""The name of the thread that sends one."""
_LONGEST_TEXT = 2000
"""Characters; Discord takes no more."""
_SILENCE = timedelta(minutes=2)


class _Staying(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: what is sent on is without its body, and has not arrived."""

    def redirect_request(self, *_: object) -> None:
        return None


def _send(request: urllib.request.Request, *handlers: type[urllib.request.BaseHandler]) -> None:
    """Sends a request, whose answer does not matter. All of it has its time: one that is answered
    a byte at a time would hold the run. Raises OSError, ValueError and HTTPException."""
    sent: Future[None] = Future()

    def send() -> None:
        try:
            urllib.request.build_opener(*handlers).open(request, timeout=_WEBHOOK_TIMEOUT).close()
            sent.set_result(None)
        except BaseException as error:  # noqa: BLE001  raised below
            if isinstance(error, HTTPError):
                error.close()
            sent.set_exception(error)

    threading.Thread(target=send, name=SENDER, daemon=True).start()
    try:
        sent.result(_WEBHOOK_TIMEOUT)
    except FutureTimeoutError:
        limit = format_duration(timedelta(seconds=_WEBHOOK_TIMEOUT))
        raise TimeoutError(f"it has not answered within {limit}") from None


@dataclass(frozen=True)
class Notifications:
    """Whom a run notifies; `log` is given a line about each notification that fails."""

    settings: Settings
    environ: Mapping[str, str]
    log: Log

    def send_webhook(self, event: str, text: str) -> None:
        """POSTs an event to ALERT_WEBHOOK, where that is set.

        `text` and `content` are what Slack, Mattermost and Discord show.
        """
        if self.settings.alert_webhook is None:
            return
        shown = mask(text[:_LONGEST_TEXT])
        body = {"event": event, "text": shown, "content": shown, "service": "Steak Kenangan POS"}
        url = self.settings.alert_webhook.get_secret_value()
        try:
            if not url.startswith(("http://", "https://")):
                raise ValueError("not a web address")
            request = urllib.request.Request(  # noqa: S310  checked above
                url, json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            _send(request, _Staying)
        except (OSError, ValueError, HTTPException) as error:
            self.log(mask(f"ALERT_WEBHOOK was not reached: {error}".replace(url, "(its address)")))

    @contextmanager
    def job(self, name: str) -> Iterator[None]:
        """Reports what runs meanwhile as the job of a heartbeat check, where healthkit's
        configuration has one of that name: its start, and how it ended, with the exit code that it
        leads to and its last words. One that succeeded is pushed to the address that the
        environment has for it, too."""
        health = self._try(self._open)
        if health is not None and name not in health.heartbeat_names():
            health = None
        try:
            self._beat(health, name, "start")
            yield
        except BaseException as error:  # a nightly run that is ended has failed as well
            code, said = getattr(error, "exit_code", 1), str(error) or type(error).__name__
            self._beat(health, name, "failure", code, one_line(" ".join(said.split()), 500))
            raise
        else:
            self._beat(health, name, "success", 0)
            self._push(name)
        finally:
            if health is not None:
                health.stop()

    def _beat(
        self, health: Health | None, name: str, kind: str, code: int | None = None, text: str = ""
    ) -> None:
        if health is not None:
            self._try(lambda: health.beat(name, kind, code=code, text=text or None))

    def _push(self, name: str) -> None:
        pushed = {
            "backup-daily": self.settings.backup_heartbeat,
            "backup-drill": self.settings.drill_heartbeat,
        }
        address = pushed.get(name)
        if address is None:
            return
        url = f"{address.get_secret_value()}?status=up&msg=OK"
        try:
            _send(urllib.request.Request(url))  # noqa: S310  a setting
        except (OSError, ValueError, HTTPException) as error:
            self.log(mask(f"the heartbeat {name} was not pushed: {error}"))

    @contextmanager
    def silence_alerts(self) -> Iterator[None]:
        """Silences all alerts meanwhile, and for no longer than two minutes if this is killed."""

        def begin(health: Health) -> int:
            return health.silence(_SILENCE, reason="a restore", by="posapp restore")

        number = self._with_health(begin)
        try:
            yield
        finally:
            if number is not None:
                self._with_health(lambda health: health.end_silence(number))

    def _with_health(self, act: Callable[[Health], T]) -> T | None:
        health = self._try(self._open)
        if health is None:
            return None
        try:
            return self._try(lambda: act(health))
        finally:
            health.stop()

    def _open(self) -> Health:
        environ = processes.with_health_store(
            {"DATABASE_URL": "postgresql:///embedded", **self.environ}, self.settings
        )
        return Health.from_file(processes.health_config_path(self.settings), environ=environ)

    def _try(self, act: Callable[[], T]) -> T | None:
        """Returns None, and logs why, where healthkit is not configured as it should be."""
        try:
            return act()
        except (HealthkitError, SQLAlchemyError, OSError) as error:
            self.log(f"healthkit was not reached: {one_line(' '.join(str(error).split()), 500)}")
            return None
