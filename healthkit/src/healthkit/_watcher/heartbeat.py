"""The watcher's own heartbeat to the outside: silence is a fault too."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests

from healthkit import _threads
from healthkit.masking import MASK

log = logging.getLogger("healthkit")

LIMIT = 10
"""Seconds that a beat may take."""


def address(url: str, fault: str | None) -> str:
    """The address of one beat, as an Uptime Kuma push monitor wants it: `status=up&msg=OK`, or
    `status=down` with the fault. What else stands in the query is kept."""
    parts = urlsplit(url)
    kept = [(key, value) for key, value in parse_qsl(parts.query) if key not in ("status", "msg")]
    said = [("status", "down" if fault else "up"), ("msg", fault or "OK")]
    return urlunsplit(parts._replace(query=urlencode([*kept, *said])))


class Heart:
    """Calls `url` every so often, on a native thread, with what `fault` says.

    `fault()` returns what is wrong, an empty string when all is well, or None for silence: a
    watcher that does not lead leaves the beat to the one that does.
    """

    def __init__(self, url: str, every: timedelta, fault: Callable[[], str | None]) -> None:
        self._url = url
        self._every = every.total_seconds()
        self._fault = fault
        self._inbox: Any = _threads.original("queue", "SimpleQueue")()
        self._works = True

    def start(self) -> None:
        _threads.start_thread(self._run)

    def beat(self) -> None:
        """Beats now and not only when it is time: what there is to say has changed."""
        self._inbox.put(True)

    def stop(self) -> None:
        self._inbox.put(False)

    def _run(self) -> None:
        empty = _threads.original("queue", "Empty")
        go_on = True
        while go_on:
            self._call()
            try:
                go_on = self._inbox.get(timeout=self._every)
            except empty:
                continue

    def _call(self) -> None:
        fault = self._fault()
        if fault is None:
            return
        try:
            requests.get(address(self._url, fault), timeout=LIMIT).raise_for_status()
        except requests.RequestException as error:
            if self._works:  # once, and not every minute
                why = getattr(error.response, "status_code", None) or type(error).__name__
                host = urlsplit(self._url).hostname
                log.error("the heartbeat to %s (%s) was not taken: %s", host, MASK, why)
            self._works = False
        else:
            self._works = True
