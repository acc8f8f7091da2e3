"""Runs while a watcher leads: the checks, the result processor, and a courier for each channel."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from healthkit import _threads
from healthkit._alerts import routing
from healthkit._alerts.delivery import Courier
from healthkit._alerts.processor import ResultProcessor, SequencedResult
from healthkit._clock import Clock
from healthkit._config.settings import Settings
from healthkit._model.alerts import Event, WatcherFaults
from healthkit._model.checks import Result, Severity
from healthkit._plugins import PluginManager
from healthkit._runner import Runner
from healthkit._store import circuit_breakers, faults, incidents, lease, outbox, pruning
from healthkit._store.database import Store
from healthkit._watcher import vital_signs
from healthkit._watcher.budgets import with_budget_checks

log = logging.getLogger("healthkit")

START_WITHIN = 3.0
"""Seconds over which the first runs are spread."""
PRUNE_EVERY = 300.0
"""Seconds."""
MOST_PENDING = 20_000
"""Results that are kept while the store cannot be written; the oldest go first."""


class Leadership:
    """One leadership, or the part of one between two readings of the configuration.

    `wake()` is called from the checks' threads; `tick` is to be called soon after.
    """

    def __init__(
        self,
        settings: Settings,
        plugins: PluginManager,
        store: Store,
        epoch: int,
        may_send: Callable[[], bool],
        wake: Callable[[], None],
        clock: Clock,
    ) -> None:
        self.epoch = epoch
        settings = with_budget_checks(settings, store.measure)
        self._settings = settings
        self._store = store
        self._plugins = plugins
        self._wake = wake
        self._clock = clock
        self._number = int(clock.monotonic() * 1e9)
        self._pending: deque[SequencedResult] = deque(maxlen=MOST_PENDING)
        self._given_up = 0
        self._results: Any = _threads.unpatched("queue", "SimpleQueue")()
        self._processor = ResultProcessor(settings, epoch)
        self._processor_is_current = False
        self._pruned_at: float | None = None
        checks = [(check.info, check.check) for check in settings.checks]
        service = settings.service.service()
        self._runner: Runner[None] = Runner(
            service,
            checks,
            lambda _: None,
            store,
            store,
            clock=clock,
            start_within=START_WITHIN,
        )
        self._runner.subscribe(self._on_result)
        self._may_send = may_send
        self._couriers = {
            name: self._courier(name)
            for name, channel in settings.channels.items()
            if channel.enabled
        }
        self._observers = _EventObservers(plugins)
        self._longest_silence = vital_signs.longest_silence(info for info, _ in checks)
        self._last_result = clock.monotonic()
        self._unreachable = tuple(
            f"a fault of {name} reaches nobody: {why}"
            for name, why in routing.unreachable(
                settings.checks, settings.routes, settings.channels
            ).items()
        )
        self._stored_faults: WatcherFaults | None = None
        self.faults: tuple[str, ...] = ()
        """Why people cannot be told of something, as of the last tick."""

    @property
    def sending(self) -> bool:
        """Whether a message is in hand."""
        return any(courier.sending for courier in self._couriers.values())

    def start(self) -> None:
        """Takes over from the last leader. Raises StoreError or FencedError."""
        now = self._clock.now()
        with self._store.transaction() as connection:
            lease.fence(connection, self.epoch)
            unknown = outbox.recover(connection, now)
            moved, lost = outbox.expire_unconfigured(
                connection, set(self._couriers), now, self._instead_of
            )
            circuit_breakers.reset_retry_times(connection)
            names = [check.info.name for check in self._settings.checks]
            incidents.forget_checks(connection, names, now)
        for fault in self._unreachable:
            log.error("%s", fault)
        if unknown:
            log.warning("%d messages were being sent when the last watcher ended: again", unknown)
        if moved:
            log.warning("%d messages waited for channels that are gone or off: handed on", moved)
        if lost:
            log.error("%d messages wait for channels that are gone or off: given up", lost)
        for courier in self._couriers.values():
            courier.start()
        self._runner.start()

    def tick(self) -> list[Event]:
        """Processes new results and wakes the couriers that have something to send. Raises
        StoreError or FencedError, after which the next tick does it again and nothing twice."""
        self.collect()
        events = self._process_pending()
        self._pending.clear()
        if self._given_up:
            log.error("%d results, the oldest, were given up: too many waited", self._given_up)
            self._given_up = 0
        for event in events:
            log.info("%s: %s", event.kind.value, event.check.name)
            self._observers.notify(event)
        self._supervise()
        with self._store.reading() as connection:
            due = outbox.due_channels(connection, self._clock.now())
            states = circuit_breakers.all_states(connection)
        self._find_faults({s.name: s.error for s in states.values() if s.is_open})
        for name in due & set(self._couriers):
            self._couriers[name].wake()
        self._prune()
        return events

    def _courier(self, name: str) -> Courier:
        return Courier(
            name,
            self._settings,
            self._store,
            self.epoch,
            self._may_send,
            self._override,
            self._clock,
        )

    def _instead_of(self, channel: str, rank: int) -> tuple[str, ...]:
        """Returns who gets what waits for a channel that is gone or off: its fallback where it is
        known, else the channels of the route."""
        settings = self._settings
        while channel in settings.channels:
            fallback = settings.channels[channel].fallback
            if fallback is None:
                break
            if fallback in self._couriers:
                return (fallback,)
            channel = fallback
        route = settings.routes.get(tuple(Severity)[rank])
        return tuple(name for name in route.channels if name in self._couriers) if route else ()

    def _supervise(self) -> None:
        """Puts another in the place of a courier whose thread has ended, and has what it was
        sending sent again."""
        for name, courier in self._couriers.items():
            if not courier.alive:
                log.error("the courier of channel %s has ended: another takes over", name)
                with self._store.transaction() as connection:
                    lease.fence(connection, self.epoch)
                    outbox.recover(connection, self._clock.now(), name)
                self._couriers[name] = self._courier(name)
                self._couriers[name].start()

    def _find_faults(self, failing: Mapping[str, str]) -> None:
        """Finds what is wrong with the watcher itself, and stores it where it has changed."""
        couriers = {name: c.trouble for name, c in self._couriers.items() if c.trouble}
        found = vital_signs.find_faults(self._settings, failing, couriers)
        silent_for = self._clock.monotonic() - self._last_result
        if self._longest_silence is not None and silent_for > self._longest_silence:
            found = (*found, "no check reports")
        self.faults = found
        faulty = WatcherFaults(found, self._unreachable)
        if faulty != self._stored_faults:
            with self._store.transaction() as connection:
                lease.fence(connection, self.epoch)
                faults.replace(connection, faulty)
            self._stored_faults = faulty

    def discard_pending(self) -> None:
        """Discards results on which a tick has failed for another reason than the store."""
        self._pending.clear()

    def stop(self, seconds: float) -> bool:
        """Ends the checks, and each courier after the message in hand; False when one of them has
        not ended within so many seconds."""
        until = self._clock.monotonic() + seconds
        for courier in self._couriers.values():
            courier.stop()
        self._observers.stop()
        self._runner.stop(min(seconds, 1.0))
        left = [c.join(until - self._clock.monotonic()) for c in self._couriers.values()]
        return all(left)

    def _on_result(self, result: Result) -> None:
        self._results.put(result)
        self._wake()

    def collect(self) -> None:
        """Takes results in, and numbers them: numbers grow through all leaderships of an epoch. Of
        too many that wait, the oldest are given up."""
        while not self._results.empty():
            self._last_result = self._clock.monotonic()
            self._number += 1
            self._given_up += len(self._pending) == self._pending.maxlen
            self._pending.append(SequencedResult(self._number, self._results.get()))

    def _process_pending(self) -> list[Event]:
        now = self._clock.now()
        current, self._processor_is_current = self._processor_is_current, False
        with self._store.transaction() as connection:
            lease.fence(connection, self.epoch)
            if not current:
                self._processor.load(connection)
            events = self._processor.process(connection, tuple(self._pending), now)
        self._processor_is_current = True
        return events

    def _prune(self) -> None:
        last = self._pruned_at
        if last is not None and self._clock.monotonic() - last < PRUNE_EVERY:
            return
        monotonic, before = self._clock.monotonic(), self._pruned_at
        passed = None if before is None else timedelta(seconds=monotonic - before)
        with self._store.transaction() as connection:
            lease.fence(connection, self.epoch)
            dead = pruning.prune(connection, self._clock.now(), passed)
        self._pruned_at = monotonic
        if dead:
            log.error("%d dead letters, the oldest of too many, were given up", dead)

    def _override(self, event: Event, language: str) -> tuple[str, str] | None:
        answers = self._plugins.call_all("healthkit_message", event=event, language=language)
        return answers[0] if answers else None


class _EventObservers:
    """Hands events to the hook `healthkit_event` on a thread of its own: one that hangs delays the
    other observers, and no alert."""

    _MOST = 1000

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._inbox: Any = _threads.unpatched("queue", "SimpleQueue")()
        self._started = False

    def notify(self, event: Event) -> None:
        if not self._plugins.implements("healthkit_event"):
            return
        if not self._started:
            self._started = True
            _threads.start_native_thread(self._run)
        if self._inbox.qsize() < self._MOST:
            self._inbox.put(event)
        else:
            log.error(
                "a plugin's healthkit_event hangs: it misses an event of %s", event.check.name
            )

    def stop(self) -> None:
        self._inbox.put(None)

    def _run(self) -> None:
        while (event := self._inbox.get()) is not None:
            self._plugins.call_all("healthkit_event", event=event)
