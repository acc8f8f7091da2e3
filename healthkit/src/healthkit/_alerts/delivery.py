"""From the outbox to people: one courier for each channel.

A courier claims the oldest message of its channel, sends it, and writes down what became of it;
then the next, so that each channel gets its messages in order, and one that hangs delays no other.

What is guaranteed, and where a message can double. Each message is sent at least once: a claim is
committed before the send, and the result after it. It can arrive twice
- when the process is killed, or the machine lost, after the service has accepted the message and
  before that is committed: some milliseconds;
- when a send overran its limit, so that nobody knows, and is tried again;
- when an address names several recipients, of whom some got it: the address is tried as a whole.
It arrives late, and not never, when the store cannot be written.

A watcher that was frozen and has lost its lease meanwhile sends nothing: right before each request
it looks at a clock that ran on (`allowed`), and its result is refused by the lease's fence.
"""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from healthkit import _threads
from healthkit._alerts import apprise_client, messages, records
from healthkit._alerts.apprise_client import Tone
from healthkit._alerts.messages import Message, Override
from healthkit._alerts.send_result import Answer, Verdict
from healthkit._config.settings import ChannelSettings, Settings
from healthkit._model.checks import Event, EventKind
from healthkit._store import circuit_breakers, lease, outbox
from healthkit._store.database import Store
from healthkit._store.lease import FencedError
from healthkit._store.outbox import Claim
from healthkit.errors import StoreError
from healthkit.fields import format_duration

log = logging.getLogger("healthkit")

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)
TRIES = 3
"""How often a message is tried that the service says it will never take."""
WORDING_LIMIT = 5.0
"""Seconds that templates and plugins have to word a message."""

_TONES: dict[EventKind, Tone] = {
    EventKind.DOWN: "failure",
    EventKind.REMINDER: "failure",
    EventKind.ESCALATION: "failure",
    EventKind.DEGRADED: "warning",
    EventKind.FLAPPING: "warning",
    EventKind.UP: "success",
    EventKind.RESTORED: "success",
    EventKind.STEADY: "success",
}


class NotAllowedError(Exception):
    """The lease has run out: another watcher may be sending this very message."""


def pause(failures: int, chance: float) -> timedelta:
    """How long a channel is left alone after so many failures in a row: 1 s, 2 s, 4 s … 5 min,
    each shortened by up to a half; `chance` is from 0 to 1."""
    whole = min(FIRST_PAUSE * (1 << min(failures - 1, 16)), LONGEST_PAUSE)
    return whole * (0.5 + chance / 2)


class Courier:
    """Sends what is owed to one channel, on a native thread, from `start` to `stop`.

    `allowed` tells whether this process still leads; `epoch` is that of its lease.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        store: Store,
        epoch: int,
        allowed: Callable[[], bool],
        override: Override | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._channel: ChannelSettings = settings.channels[name]
        self._store = store
        self._epoch = epoch
        self._allowed = allowed
        self._override = override
        self._sends = _threads.Limiter()
        self._words = _threads.Limiter()
        self._sent_at: deque[float] = deque(maxlen=settings.alerts.burst)
        self._inbox: Any = _threads.original("queue", "SimpleQueue")()
        self._stopping = False
        self._ended = _threads.original("_thread", "allocate_lock")()
        self._failing = False
        """Whether the last send of this courier failed: only then does patience run out."""

    def start(self) -> None:
        self._ended.acquire()
        _threads.start_thread(self._run)

    def wake(self) -> None:
        """There may be something to send."""
        self._inbox.put(None)

    def stop(self) -> None:
        """Ends it after the message in hand."""
        self._stopping = True
        self.wake()

    def join(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        ended = bool(self._ended.acquire(timeout=max(0.0, seconds)))
        if ended:
            self._ended.release()
        return ended

    # On its thread

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._inbox.get()
                while not self._stopping and self._step():
                    pass
        finally:
            self._ended.release()

    def _step(self) -> bool:
        """Sends one message; False when there is none to be sent now, or it failed."""
        try:
            self._give_up()
            claim = self._claim()
        except FencedError as error:
            log.info("channel %s: nothing is sent: %s", self.name, error)
            return False
        except StoreError as error:
            log.error("channel %s: %s", self.name, error)
            return False
        if claim is None:
            return False
        return self._conclude(claim, self._send(claim))

    def _claim(self) -> Claim | None:
        if self._held_back():
            return None
        now = _now()
        with self._store.transaction() as connection:
            lease.hold(connection, self._epoch, now)
            burst, named = self._settings.alerts.burst, messages.DIGEST_LINES
            return outbox.claim(connection, self.name, now, burst=burst, named=named)

    def _held_back(self) -> bool:
        """Whether the channel has had its share for now: what comes meanwhile goes in one."""
        full = len(self._sent_at) == self._sent_at.maxlen
        window = self._settings.alerts.burst_window.total_seconds()
        return full and time.monotonic() - self._sent_at[0] < window

    def _give_up(self) -> None:
        if self._failing:
            with self._store.transaction() as connection:
                lease.hold(connection, self._epoch)
                patience, fallback = self._channel.patience, self._fallback()
                moved = outbox.give_up(connection, self.name, _now(), patience, fallback)
            if moved:
                where = f"go to {fallback}" if fallback else "are given up: healthkit alert retry"
                log.error("channel %s stays dead: %d messages %s", self.name, moved, where)

    def _fallback(self) -> str | None:
        """The first channel of the chain that is on."""
        name = self._channel.fallback
        while name is not None and not self._settings.channels[name].enabled:
            name = self._settings.channels[name].fallback
        return name

    # One message

    def _send(self, claim: Claim) -> Answer | None:
        """What the service said; None when it was not to be asked."""
        events = [records.load_event(body) for body in claim.bodies]
        message = self._word(claim, events)
        tone = _TONES[events[0].kind] if claim.single else "warning"
        url = self._channel.url.get_secret_value()
        try:
            return self._sends.call(
                lambda: apprise_client.send(url, message, tone, self._before),
                self._channel.timeout.total_seconds(),
            )
        except NotAllowedError:
            return None
        except TimeoutError as error:
            return Answer(Verdict.TIMED_OUT, f"{error}; it may have arrived")
        except Exception as error:
            log.exception("channel %s: the send failed", self.name)
            return Answer(Verdict.UNREACHED, type(error).__name__)

    def _before(self) -> None:
        if not self._allowed():
            raise NotAllowedError

    def _word(self, claim: Claim, events: list[Event]) -> Message:
        try:
            words = self._words.call(lambda: self._worded(claim, events), WORDING_LIMIT)
        except (TimeoutError, RuntimeError) as error:
            log.error("channel %s: the wording of a message: %s", self.name, error)
            words = messages.plain(events[0], self._settings, str(error))
        if claim.origins:
            note = f"(Meant for {', '.join(claim.origins)}, which does not take it.)"
            words = Message(words.title, (*words.lines, note))
        return words

    def _worded(self, claim: Claim, events: list[Event]) -> Message:
        if claim.single:
            return messages.word(events[0], self._settings, self._override)
        return messages.digest(events, self._settings, claim.total, _now(), storm=claim.storm)

    # What became of it

    def _conclude(self, claim: Claim, answer: Answer | None) -> bool:
        """Writes it down, however long the store takes: the next message waits for it."""
        while True:
            try:
                with self._store.transaction() as connection:
                    lease.hold(connection, self._epoch)
                    return self._note(connection, claim, answer)
            except FencedError:
                return False  # the next leader sends it again, for it cannot know
            except StoreError as error:
                log.error("channel %s: the result of a send: %s", self.name, error)
                if self._stopping:
                    return False
                self._pause(1.0)

    def _pause(self, seconds: float) -> None:
        lock = _threads.original("_thread", "allocate_lock")()
        lock.acquire()
        lock.acquire(timeout=seconds)

    def _note(self, connection: Any, claim: Claim, answer: Answer | None) -> bool:
        now = _now()
        if answer is None:
            outbox.put_back(connection, claim, now)
            return False
        self._failing = answer.verdict is not Verdict.SENT
        if not self._failing:
            outbox.sent(connection, claim, now)
            self._sent_at.append(time.monotonic())
            log.info("channel %s: sent %s", self.name, _what(claim))
            return True
        words = f"{answer.verdict.value}: {answer.words}".rstrip(": ")
        if answer.unsendable and claim.attempts >= TRIES:
            outbox.drop(connection, claim, now, words, self._fallback())
            log.error("channel %s will not take %s: %s", self.name, _what(claim), words)
            return True
        wait = self._wait(connection, answer)
        outbox.failed(connection, claim, now, words, now + wait)
        again = format_duration(max(wait, timedelta(seconds=1)))
        log.warning("channel %s: %s; tried again in %s", self.name, words, again)
        return False

    def _wait(self, connection: Any, answer: Answer) -> timedelta:
        failures = circuit_breakers.of(connection, self.name).failures + 1
        wait = pause(failures, random.random())  # noqa: S311  it only spreads the load
        return max(wait, answer.retry_after or timedelta(0))


def _what(claim: Claim) -> str:
    return "a message" if claim.single else f"a digest of {claim.total}"


def _now() -> datetime:
    return datetime.now(UTC)
