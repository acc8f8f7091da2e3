"""Runs the watcher: holds the lease, leads while it is held, stands by while it is not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from typing import Any

from healthkit import _outcomes, _threads
from healthkit._clock import SYSTEM_CLOCK, Clock
from healthkit._config.settings import Settings
from healthkit._plugins import PluginManager
from healthkit._store import lease
from healthkit._store.database import Store
from healthkit._store.lease import FencedError
from healthkit._watcher import vital_signs
from healthkit._watcher.heartbeat import HeartbeatSender
from healthkit._watcher.leadership import Leadership
from healthkit.errors import ConfigError, ConfigProblem, HealthkitError, StoreError

log = logging.getLogger("healthkit")

TICK = 0.5
"""Seconds between two looks of a leader for what is due, and of a standby for the lease."""
DRAIN = 8.0
"""Seconds that messages in hand have at the end of a watcher."""
GRACE = 0.7
"""Seconds that all the rest has then: a store that does not answer is not waited for."""
LOOK = 0.1
"""Seconds between two looks of the calling thread."""

Load = Callable[[], tuple[Settings, PluginManager]]


class Watcher:
    """Runs from `run` until `stop`; `reload` reads the configuration again.

    `load()` returns the configuration and may raise ConfigError. The constructor raises what it
    raises, and StoreError.
    `stop` and `reload` may be called from signal handlers and other threads.
    """

    def __init__(self, load: Load, clock: Clock = SYSTEM_CLOCK) -> None:
        self._load = load
        self._clock = clock
        self._settings, self._plugins = load()
        self._store = Store(self._settings.store_url)
        self._me = lease.holder_identity()
        self._inbox: Any = _threads.unpatched("queue", "SimpleQueue")()
        self._leadership: Leadership | None = None
        self._last_leadership: Leadership | None = None
        self._stopping = False
        self._stopped_at = 0.0
        self._reload = False
        self._renewed = 0.0
        self._lease = (0, 0.0)
        """The epoch that it leads in, and when that expires."""
        self._fault = ""
        self._turned_at = clock.monotonic()
        """When the loop last began a turn."""
        self._heartbeat: HeartbeatSender | None = None

    # From anywhere

    def stop(self) -> None:
        """Ends `run` after the messages in hand, or 8 s; at once where none is."""
        self._stopped_at = time.monotonic()
        self._stopping = True
        self._inbox.put(None)

    def reload(self) -> None:
        """Reads the configuration again; one with mistakes is refused and the old one stays."""
        self._reload = True
        self._inbox.put(None)

    def leads(self, epoch: int) -> bool:
        """Whether it holds the lease of an epoch; the clock runs on while the process is frozen."""
        held, until = self._lease
        return held == epoch and self._clock.monotonic() < until

    # The loop

    def run(self) -> None:
        """Blocks until `stop`. The loop has a thread of its own: what it waits for in C, as for a
        locked store, keeps no signal from being heard."""
        endings: Any = _threads.unpatched("queue", "SimpleQueue")()
        _threads.start_native_thread(lambda: endings.put(self._run_loop()))
        while not self._overdue():
            with suppress(_threads.unpatched("queue", "Empty")):
                if (error := endings.get(timeout=LOOK)) is not None:
                    raise error
                return
        log.warning("ended without waiting for the store: another watcher leads after the lease")
        if self._heartbeat is not None:
            self._heartbeat.stop()

    def _overdue(self) -> bool:
        """Whether the end has taken as long as it may."""
        if not self._stopping:
            return False
        leadership = self._leadership or self._last_leadership
        sending = leadership is not None and leadership.sending
        return time.monotonic() - self._stopped_at > (DRAIN + GRACE if sending else GRACE)

    def _run_loop(self) -> BaseException | None:
        """Returns the error that ended it."""
        try:
            self._loop()
        except BaseException as error:  # noqa: BLE001  raised by `run`
            return error
        return None

    def _loop(self) -> None:
        self._start_heartbeat()
        log.info("watching %d checks", len(self._settings.checks))
        try:
            while not self._stopping:
                self._tick()
                self._wait()
        finally:
            self._end()

    def _tick(self) -> None:
        self._turned_at = self._clock.monotonic()
        try:
            if self._reload:
                self._reload = False
                self._reload_settings()
            if self._leadership is not None:
                self._leadership.collect()  # while the lease cannot be renewed, nobody else does
            self._keep_lease()
            if self._leadership is not None:
                self._leadership.tick()
            self._report_fault("")
        except FencedError:
            self._step_down("another watcher leads")
        except StoreError as error:
            self._report_fault(str(error))
        except Exception as error:  # whatever it is, the watcher must not end by it
            log.exception("processing results failed")
            self._report_fault(f"processing results failed: {type(error).__name__}")
            if self._leadership is not None:
                self._leadership.discard_pending()

    def _wait(self) -> None:
        """Waits for results, an order, or the next tick."""
        with suppress(Empty):
            self._clock.receive(self._inbox, TICK)
            while not self._inbox.empty():
                self._inbox.get()

    def _report_fault(self, fault: str) -> None:
        """Logs a change of the fault, and sends it with the heartbeat."""
        if fault == self._fault:
            return
        if fault:
            log.error("%s; results are queued until the store is writable", fault)
        else:
            log.info("the watcher works again")
        self._fault = fault
        if self._heartbeat is not None and self._leadership is not None:
            self._heartbeat.send_now()

    # The lease

    def _keep_lease(self) -> None:
        length = self._settings.watch.lease
        asked = self._clock.monotonic()
        if self._leadership is not None and asked - self._renewed < length.total_seconds() / 4:
            return
        with self._store.transaction() as connection:
            epoch = lease.acquire(connection, self._me, length, self._clock.now())
        if epoch is None:
            self._step_down("another watcher leads")
            return
        self._renewed, self._lease = asked, (epoch, asked + length.total_seconds())
        if self._leadership is not None and self._leadership.epoch != epoch:
            self._stop_leadership(0.0)
        if self._leadership is None:
            self._lead(epoch)

    def _lead(self, epoch: int) -> None:
        leadership = Leadership(
            self._settings,
            self._plugins,
            self._store,
            epoch,
            may_send=lambda: self.leads(epoch),
            wake=lambda: self._inbox.put(None),
            clock=self._clock,
        )
        try:
            leadership.start()
        except BaseException:
            leadership.stop(0.0)  # half of its couriers may run
            raise
        self._leadership = leadership
        log.info("leading, epoch %d", epoch)
        if self._heartbeat is not None:
            self._heartbeat.send_now()

    def _step_down(self, why: str) -> None:
        if self._leadership is not None:
            log.warning("no longer leading: %s", why)
            self._leadership.stop(0.0)
            self._leadership = None
        self._lease = (0, 0.0)

    # The configuration

    def _reload_settings(self) -> None:
        try:
            settings, plugins = self._load()
            self._refuse_other_store(settings)
        except BaseException as error:  # noqa: BLE001  a plugin may raise anything
            self._refuse(error)
            return
        before, epoch = (self._settings, self._plugins), self._stop_leadership(DRAIN)
        self._settings, self._plugins = settings, plugins
        try:
            self._start_heartbeat()
            if epoch is not None:
                self._lead(epoch)
        except StoreError as error:  # the next tick takes the lease again, and leads
            log.error("%s", error)
        except BaseException as error:  # noqa: BLE001
            self._settings, self._plugins = before  # the next tick leads with them
            self._start_heartbeat()
            self._refuse(error)
            return
        log.info("the configuration was read again")

    def _refuse(self, error: BaseException) -> None:
        lines = error.lines() if isinstance(error, HealthkitError) else [_outcomes.line(error)]
        for line in lines:
            log.error("%s", line)
        log.error("the new configuration is refused; the old one stays in force")

    def _refuse_other_store(self, settings: Settings) -> None:
        if settings.store_url != self._settings.store_url:
            why = "cannot change while the watcher runs: restart it"
            raise ConfigError(settings.source, [ConfigProblem("store.url", why)])

    def _start_heartbeat(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.stop()
            self._heartbeat = None
        watch = self._settings.watch
        if url := watch.heartbeat.get_secret_value():
            self._heartbeat = HeartbeatSender(
                url, watch.heartbeat_every, self._heartbeat_fault, self._clock
            )
            self._heartbeat.start()

    def _heartbeat_fault(self) -> str | None:
        """Returns the fault for the heartbeat, or None while another watcher leads. Called from
        the heartbeat's thread: the loop may hang."""
        leadership = self._leadership
        if leadership is None:
            return None
        if self._clock.monotonic() - self._turned_at > vital_signs.STUCK_AFTER:
            return "the watcher hangs"
        return "; ".join(filter(None, (self._fault, *leadership.faults)))

    # The end

    def _stop_leadership(self, seconds: float) -> int | None:
        leadership, self._leadership = self._leadership, None
        if leadership is None:
            return None
        self._last_leadership = leadership
        if not leadership.stop(seconds):
            log.warning("a message was still being sent: it may have arrived, and is sent again")
        return leadership.epoch

    def _end(self) -> None:
        epoch = self._stop_leadership(DRAIN)
        if self._heartbeat is not None:
            self._heartbeat.stop()
        try:
            if epoch is not None:
                with self._store.transaction() as connection:
                    lease.release(connection, epoch)
        except StoreError as error:
            log.error("%s", error)
        self._store.close()
        log.info("ended")
