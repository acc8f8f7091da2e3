"""What a watcher runs while it leads: the checks, the ledger, and a courier for each channel."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from healthkit import _threads
from healthkit._alerts.delivery import Courier
from healthkit._alerts.processor import Ledger, Numbered
from healthkit._config.settings import Settings
from healthkit._model.checks import Event, Result
from healthkit._plugins import PluginManager
from healthkit._runner import Runner
from healthkit._store import circuit_breakers, history, incidents, lease, outbox
from healthkit._store.database import Store

log = logging.getLogger("healthkit")

KEEP_SENT = timedelta(days=92)
ROLL_UP_EVERY = 300.0
"""Seconds."""
MOST_PENDING = 20_000
"""Results that are kept while the store cannot be written; the oldest go first."""


class Term:
    """One leadership, or the part of one between two readings of the configuration.

    `wake(result)` is called from the checks' threads; `round` is to be called soon after.
    """

    def __init__(
        self,
        settings: Settings,
        plugins: PluginManager,
        store: Store,
        epoch: int,
        allowed: Callable[[], bool],
        wake: Callable[[], None],
    ) -> None:
        self.epoch = epoch
        self._settings = settings
        self._store = store
        self._plugins = plugins
        self._wake = wake
        self._number = time.monotonic_ns()
        self._pending: deque[Numbered] = deque(maxlen=MOST_PENDING)
        self._results: Any = _threads.original("queue", "SimpleQueue")()
        self._ledger = Ledger(settings, epoch)
        self._ledger_is_true = False
        self._rolled_up = 0.0
        checks = [(check.info, check.check) for check in settings.checks]
        service = settings.service.service()
        self._runner: Runner[None] = Runner(service, checks, lambda _: None, store, store)
        self._runner.subscribe(self._heard)
        self._couriers = {
            name: Courier(name, settings, store, epoch, allowed, self._override)
            for name, channel in settings.channels.items()
            if channel.enabled
        }
        self._observers = _Observers(plugins)

    def start(self) -> None:
        """Takes over what the last leader left. Raises StoreError or FencedError."""
        now = _now()
        with self._store.transaction() as connection:
            lease.hold(connection, self.epoch)
            unknown = outbox.recover(connection, now)
            lost = outbox.abandon(connection, set(self._couriers), now)
            circuit_breakers.try_now(connection)
            names = [check.info.name for check in self._settings.checks]
            incidents.forget_checks(connection, names, now)
        if unknown:
            log.warning("%d messages were being sent when the last watcher ended: again", unknown)
        if lost:
            log.error("%d messages wait for channels that are gone or off: given up", lost)
        for courier in self._couriers.values():
            courier.start()
        self._runner.start()

    def round(self) -> list[Event]:
        """Takes in what the checks have found and sends out what is due. Raises StoreError or
        FencedError, after which the next round does it again and nothing twice."""
        self._collect()
        events = self._settle(_now())
        self._pending.clear()
        for event in events:
            log.info("%s: %s", event.kind.value, event.check.name)
            self._observers.tell(event)
        with self._store.reading() as connection:
            due = outbox.due_channels(connection, _now())
        for name in due & set(self._couriers):
            self._couriers[name].wake()
        self._roll_up()
        return events

    def forget_results(self) -> None:
        """Leaves out results on which a round has failed for another reason than the store."""
        self._pending.clear()

    def stop(self, seconds: float) -> bool:
        """Ends the checks, and each courier after the message in hand; False when one of them has
        not ended within so many seconds."""
        until = time.monotonic() + seconds
        for courier in self._couriers.values():
            courier.stop()
        self._observers.stop()
        self._runner.stop(min(seconds, 1.0))
        left = [c.join(until - time.monotonic()) for c in self._couriers.values()]
        return all(left)

    def _heard(self, result: Result) -> None:
        self._results.put(result)
        self._wake()

    def _collect(self) -> None:
        """Numbers grow through all terms of an epoch, as the ledger needs it."""
        while not self._results.empty():
            self._number += 1
            self._pending.append(Numbered(self._number, self._results.get()))

    def _settle(self, now: datetime) -> list[Event]:
        true, self._ledger_is_true = self._ledger_is_true, False
        with self._store.transaction() as connection:
            lease.hold(connection, self.epoch)
            if not true:
                self._ledger.load(connection)
            events = self._ledger.round(connection, tuple(self._pending), now)
        self._ledger_is_true = True
        return events

    def _roll_up(self) -> None:
        if time.monotonic() - self._rolled_up < ROLL_UP_EVERY:
            return
        now = _now()
        with self._store.transaction() as connection:
            lease.hold(connection, self.epoch)
            history.roll_up(connection, now)
            outbox.forget(connection, now - KEEP_SENT)
        self._rolled_up = time.monotonic()

    def _override(self, event: Event, language: str) -> tuple[str, str] | None:
        answers = self._plugins.each("healthkit_message", event=event, language=language)
        return answers[0] if answers else None


class _Observers:
    """Hands events to the hook `healthkit_event` on a thread of its own: one that hangs delays the
    other observers, and no alert."""

    _MOST = 1000

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._inbox: Any = _threads.original("queue", "SimpleQueue")()
        self._started = False

    def tell(self, event: Event) -> None:
        if not self._plugins.answers("healthkit_event"):
            return
        if not self._started:
            self._started = True
            _threads.start_thread(self._run)
        if self._inbox.qsize() < self._MOST:
            self._inbox.put(event)
        else:
            log.error("a plugin's healthkit_event hangs: it does not hear of %s", event.check.name)

    def stop(self) -> None:
        self._inbox.put(None)

    def _run(self) -> None:
        while (event := self._inbox.get()) is not None:
            self._plugins.each("healthkit_event", event=event)


def _now() -> datetime:
    return datetime.now(UTC)
