"""Before each sale: a clock that is behind by more than a day sells nothing in silence.

What was found right is believed for half a minute, unless the clock has jumped since: then its time
of day has moved otherwise than its seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Flask, request

from healthkit import Clock
from posapp.features.clock import service
from posapp.features.clock.reading import Reading
from posapp.features.idempotency import service as idempotency
from posapp.http.errors import Conflict, said
from posapp.http.sales import is_sale
from posapp.http.transactions import transaction

BELIEVED = 30.0
"""Seconds."""

QUESTION = "clock"
"""What the till asks for: a manager's word, `POST /clock/confirmations`."""

_JUMP = timedelta(seconds=30)


class ClockGuard:
    """Remembers when the clock was last found right."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._right: tuple[datetime, float] | None = None

    def check(self, read: Callable[[datetime], Reading]) -> Reading | None:
        """Returns a reading that forbids to sell, or None."""
        now, seconds = self._clock.now(), self._clock.monotonic()
        if self._right is not None:
            at, since = self._right
            passed = seconds - since
            if passed < BELIEVED and abs(now - at - timedelta(seconds=passed)) < _JUMP:
                return None
        reading = read(now)
        self._right = (now, seconds) if reading.sells else None
        return None if reading.sells else reading


def install(app: Flask, clock: Clock) -> None:
    """Refuses sales of `app` while the clock is wrong; what was accepted before is answered."""
    guard = ClockGuard(clock)

    @app.before_request
    def refuse_to_sell_by_a_wrong_clock() -> None:
        reading = guard.check(_read) if is_sale() else None
        if reading is None:
            return
        with transaction() as session:
            if idempotency.is_known(session, request.headers.get(idempotency.HEADER, "")):
                return
        raise Conflict(
            f"Nothing is sold: {reading.describe()}, or have a manager confirm it.",
            extension={"question": QUESTION, **said("clock_wrong")},
        )


def _read(now: datetime) -> Reading:
    with transaction() as session:
        return service.read(session, now)
