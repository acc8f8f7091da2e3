"""Sends the watcher's own heartbeat to the outside: silence is a fault too."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from queue import Empty
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests

from healthkit import _threads
from healthkit._alerts.send_result import innermost_cause
from healthkit._clock import SYSTEM_CLOCK, Clock
from healthkit.masking import MASK

log = logging.getLogger("healthkit")

LIMIT = 10
"""Seconds that one request may take, however slowly its answer comes."""
LOOK_EVERY = 1.0
"""Seconds between two looks for a fault."""


def push_url(url: str, fault: str | None) -> str:
    """Returns the URL of one heartbeat, as an Uptime Kuma push monitor wants it:
    `status=up&msg=OK`, or `status=down` with the fault. The rest of the query is kept."""
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(key, value) for key, value in given if key not in ("status", "msg")]
    status = [("status", "down" if fault else "up"), ("msg", fault or "OK")]
    return urlunsplit(parts._replace(query=urlencode([*kept, *status])))


class HeartbeatSender:
    """Calls `url` at regular intervals, on a native thread.

    `fault()` returns what is wrong, an empty string when nothing is, or None to send nothing: a
    watcher that does not lead leaves the heartbeat to the one that does.
    """

    def __init__(
        self,
        url: str,
        every: timedelta,
        fault: Callable[[], str | None],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._url = url
        self._every = every.total_seconds()
        self._fault = fault
        self._clock = clock
        self._inbox: Any = _threads.unpatched("queue", "SimpleQueue")()
        self._requests = _threads.TimeLimiter()
        self._works = True
        self._sent_at = 0.0
        self._said_fault = False

    def start(self) -> None:
        _threads.start_native_thread(self._run)

    def send_now(self) -> None:
        """Sends a heartbeat before it is due: the fault has changed."""
        self._inbox.put(True)

    def stop(self) -> None:
        self._inbox.put(False)

    def _run(self) -> None:
        at_once = True
        while True:
            try:
                self._send_if_due(at_once)
            except BaseException:  # the last net: its silence is an alarm
                log.exception("the heartbeat failed")
            try:
                at_once = self._clock.receive(self._inbox, min(self._every, LOOK_EVERY))
            except Empty:
                at_once = False
            else:
                if not at_once:
                    return

    def _send_if_due(self, at_once: bool) -> None:
        """Sends one in each interval, and one as soon as all is well or is not any more."""
        fault, now = self._fault(), self._clock.monotonic()
        changed = bool(fault) is not self._said_fault
        if at_once or changed or now - self._sent_at >= self._every:
            self._sent_at, self._said_fault = now, bool(fault)
            self._call(fault)

    def _call(self, fault: str | None) -> None:
        if fault is None:
            return
        try:
            self._requests.call(lambda: _get(push_url(self._url, fault)), LIMIT)
        except Exception as error:  # noqa: BLE001  whatever becomes of one, the next is sent
            if self._works:  # once, and not every minute
                refused = getattr(getattr(error, "response", None), "status_code", None)
                why = f"HTTP {refused}" if refused else innermost_cause(error)
                host = urlsplit(self._url).hostname
                log.error("the heartbeat to %s (%s) failed: %s", host, MASK, why)
            self._works = False
        else:
            self._works = True


def _get(url: str) -> None:
    """Raises for an answer that is an error. Its body is not read: it may never end."""
    with requests.get(url, timeout=LIMIT, stream=True) as answer:
        answer.raise_for_status()
