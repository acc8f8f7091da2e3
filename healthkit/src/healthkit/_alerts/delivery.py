"""Sends the outbox: one courier for each channel.

A courier claims the oldest message of its channel, sends it, and records the result; then the next,
so that each channel gets its messages in order, and one that hangs delays no other.

Guarantees, and where a message can double. Each message is sent at least once: a claim is
committed before the send, and the result after it. It can arrive twice
- when the process is killed, or the machine lost, after the service has accepted the message and
  before that is committed: some milliseconds;
- when a send overran its limit, so that its result is unknown, and is tried again;
- when a URL names several recipients, of whom some got it: the URL is tried as a whole.
It arrives late, and not never, when the store cannot be written.

A watcher that was frozen and has lost its lease meanwhile sends nothing: right before each request
it looks at a clock that ran on (`may_send`), and its result is refused by the lease's fence.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from queue import Empty
from typing import Any

from healthkit import _outcomes, _threads
from healthkit._alerts import apprise_client, links, messages
from healthkit._alerts.apprise_client import Tone
from healthkit._alerts.messages import Message, Override
from healthkit._alerts.patience import Failures, backoff
from healthkit._alerts.send_result import SendResult, SendStatus
from healthkit._alerts.templates import LINK_WORDS
from healthkit._clock import SYSTEM_CLOCK, Clock
from healthkit._config.alert_tables import ChannelSettings
from healthkit._config.settings import Settings
from healthkit._model.alerts import Batch, EventKind
from healthkit._store import circuit_breakers, lease, outbox
from healthkit._store.database import Store
from healthkit._store.lease import FencedError
from healthkit.errors import StoreError
from healthkit.fields import format_duration
from healthkit.masking import one_line

log = logging.getLogger("healthkit")

TRIES = 3
"""Attempts for a message that the service refuses for ever."""
WORDING_LIMIT = 5.0
"""Seconds that templates and plugins have for the text of a message."""

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


class LeadershipLostError(Exception):
    """The lease has expired: another watcher may be sending this very message."""


class Courier:
    """Sends the deliveries of one channel, on a native thread, from `start` to `stop`.

    `may_send` returns whether this process still leads; `epoch` is that of its lease. `chance`
    returns a number from 0 to 1, which spreads the retries.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        store: Store,
        epoch: int,
        may_send: Callable[[], bool],
        override: Override | None = None,
        clock: Clock = SYSTEM_CLOCK,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._settings = settings
        self._channel: ChannelSettings = settings.channels[name]
        self._store = store
        self._epoch = epoch
        self._may_send = may_send
        self._override = override
        self._clock = clock
        self._chance = chance
        self._sends = _threads.TimeLimiter()
        self._wording = _threads.TimeLimiter()
        self._sent_at: deque[float] = deque(maxlen=settings.alerts.burst)
        self._inbox: Any = _threads.unpatched("queue", "SimpleQueue")()
        self._stopping = False
        self._ended = _threads.unpatched("_thread", "allocate_lock")()
        self._failures = Failures(self._channel.patience.total_seconds())
        self.sending = False
        """Whether a message is in hand: claimed, and its result not yet stored."""
        self.trouble = ""
        """Why it cannot work, while it cannot: a mistake of ours, or a machine without memory."""

    def start(self) -> None:
        self._ended.acquire()
        _threads.start_native_thread(self._run)

    @property
    def alive(self) -> bool:
        """Whether its thread runs, or has been told to end."""
        return self._stopping or self._ended.locked()

    def wake(self) -> None:
        """Makes it look for something to send."""
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
                while not self._stopping and self._guarded_step():
                    pass
        finally:
            self._ended.release()

    def _guarded_step(self) -> bool:
        """The last net: whatever one message brings about, the next ones follow."""
        try:
            more = self._step()
        except BaseException as error:  # it must not end by anything that there is
            log.exception("channel %s: a step failed", self.name)
            self.trouble = _outcomes.of_exception(error).message or "unknown"
            self._give_back()
            return False
        self.trouble = ""
        return more

    def _give_back(self) -> None:
        """Has what it was sending sent again: nobody else looks at it while this one leads."""
        with suppress(Exception), self._store.transaction() as connection:
            lease.fence(connection, self._epoch)
            outbox.recover(connection, self._clock.now(), self.name)

    def _step(self) -> bool:
        """Sends one message; False when there is none to be sent now, or it failed."""
        try:
            batch = self._claim() if self._expire() else None
        except FencedError as error:
            log.info("channel %s: nothing is sent: %s", self.name, error)
            return False
        except StoreError as error:
            log.error("channel %s: %s", self.name, error)
            return False
        if batch is None:
            return False
        self.sending = True
        try:
            return self._store_result(batch, self._send(batch))
        finally:
            self.sending = False

    def _claim(self) -> Batch | None:
        if self._over_burst_limit():
            return None
        now = self._clock.now()
        with self._store.transaction() as connection:
            lease.fence(connection, self._epoch, now)
            burst, named = self._settings.alerts.burst, messages.DIGEST_LINES
            return outbox.claim_batch(connection, self.name, now, burst=burst, named=named)

    def _over_burst_limit(self) -> bool:
        """Whether the channel has had its share for now: what comes meanwhile goes in one."""
        full = len(self._sent_at) == self._sent_at.maxlen
        window = self._settings.alerts.burst_window.total_seconds()
        return full and self._clock.monotonic() - self._sent_at[0] < window

    def _expire(self) -> bool:
        """Hands on what a failing channel has had long enough. Returns whether it is to be tried:
        not before its pause is over, unless somebody has asked for it (`alert retry`)."""
        if not self._failures:
            return True
        fallback, monotonic = self._fallback(), self._clock.monotonic()
        with self._store.reading() as connection:
            newest = outbox.newest(connection, self.name)
            asked = circuit_breakers.get_state(connection, self.name).retry_at is None
        if (upto := self._failures.waited(newest, monotonic)) is not None:
            with self._store.transaction() as connection:
                lease.fence(connection, self._epoch)
                most, now = self._failures.most_attempts, self._clock.now()
                moved = outbox.expire(connection, self.name, now, upto, most, fallback)
            if moved:
                where = f"go to {fallback}" if fallback else "are given up: healthkit alert retry"
                log.error("channel %s keeps failing: %d messages %s", self.name, moved, where)
        return asked or monotonic >= self._failures.retry_at

    def _fallback(self) -> str | None:
        """Returns the first channel of the chain that is on."""
        name = self._channel.fallback
        while name is not None and not self._settings.channels[name].enabled:
            name = self._settings.channels[name].fallback
        return name

    # One message

    def _send(self, batch: Batch) -> SendResult | None:
        """Sends one message. Returns None when this process must not send any more."""
        message = self._message(batch)
        tone = _TONES[batch.events[0].kind] if batch.single else "warning"
        url = self._channel.url.get_secret_value()
        try:
            return self._sends.call(
                lambda: apprise_client.send(
                    url, message, tone, self._check_leadership, self._clock
                ),
                self._channel.timeout.total_seconds(),
            )
        except LeadershipLostError:
            return None
        except TimeoutError as error:
            return SendResult(SendStatus.TIMED_OUT, f"{error}; it may have arrived")
        except BaseException as error:  # a channel's plugin may raise anything
            log.exception("channel %s: the send failed", self.name)
            why = _outcomes.of_exception(error).message or ""
            # Not the network's: it would fail again, and keep back all that wait behind it.
            ours = not isinstance(error, OSError | RuntimeError)
            return SendResult(SendStatus.UNREACHED, why, permanent=ours)

    def _check_leadership(self) -> None:
        if not self._may_send():
            raise LeadershipLostError

    def _message(self, batch: Batch) -> Message:
        try:
            message = self._wording.call(lambda: self._compose(batch), WORDING_LIMIT)
        except BaseException as error:  # noqa: BLE001  no alert is lost to its wording
            why = _outcomes.line(error) or type(error).__name__
            log.error("channel %s: the wording of a message: %s", self.name, why)
            message = messages.plain(batch.events[0], self._settings, why)
        message = Message(message.title, (*message.lines, *self._link_lines(batch)))
        if batch.origins:
            note = f"(Meant for {', '.join(batch.origins)}, which does not take it.)"
            message = Message(message.title, (*message.lines, note))
        return message

    def _link_lines(self, batch: Batch) -> list[str]:
        """Returns the lines with which whoever reads the message may act; behind the masking, which
        would hide their tokens. A digest has one for each incident that it does not end."""
        words = LINK_WORDS[self._settings.messages.language]
        found = [
            (one, links.address(one, self.name, batch.id, self._settings.links))
            for one in links.to_act_on(batch.events)
        ]
        if batch.single:
            return [f"{words}: {at}" for _, at in found if at]
        return [f"{words}: {one_line(one.check.label)}: {at}" for one, at in found if at]

    def _compose(self, batch: Batch) -> Message:
        if batch.single:
            return messages.compose(batch.events[0], self._settings, self._override)
        now = self._clock.now()
        return messages.digest(batch.events, self._settings, batch.total, now, storm=batch.storm)

    # The result

    def _store_result(self, batch: Batch, result: SendResult | None) -> bool:
        """Records the result, however long the store takes: the next message waits for it."""
        while True:
            try:
                with self._store.transaction() as connection:
                    lease.fence(connection, self._epoch)
                    return self._write_result(connection, batch, result)
            except FencedError:
                return False  # the next leader sends it again, for it cannot know
            except StoreError as error:
                log.error("channel %s: the result of a send: %s", self.name, error)
                if self._stopping:
                    return False
                with suppress(Empty):
                    self._clock.receive(self._inbox, 1.0)

    def _write_result(self, connection: Any, batch: Batch, result: SendResult | None) -> bool:
        now = self._clock.now()
        if result is None:
            outbox.requeue(connection, batch, now)
            return False
        if result.status is SendStatus.SENT:
            self._failures.clear()
            outbox.sent(connection, batch, now)
            self._sent_at.append(self._clock.monotonic())
            log.info("channel %s: sent %s", self.name, _describe(batch))
            return True
        error = f"{result.status.value}: {result.reason}".rstrip(": ")
        if result.permanent and batch.attempts >= TRIES:
            outbox.reject(connection, batch, now, error, self._fallback())
            log.error("channel %s rejects %s: %s", self.name, _describe(batch), error)
            return True
        wait = self._retry_after(connection, result)
        outbox.failed(connection, batch, now, error, now + wait)
        self._failures.add(batch.attempts, self._clock.monotonic(), wait.total_seconds())
        again = format_duration(max(wait, timedelta(seconds=1)))
        log.warning("channel %s: %s; tried again in %s", self.name, error, again)
        return False

    def _retry_after(self, connection: Any, result: SendResult) -> timedelta:
        failures = circuit_breakers.get_state(connection, self.name).failures + 1
        return max(backoff(failures, self._chance()), result.retry_after or timedelta(0))


def _describe(batch: Batch) -> str:
    return "a message" if batch.single else f"a digest of {batch.total}"
