"""The watcher's loop: hold the lease, lead while it is held, stand by while it is not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from healthkit import _threads
from healthkit._config.settings import Settings
from healthkit._plugins import PluginManager
from healthkit._store import lease
from healthkit._store.database import Store
from healthkit._store.lease import FencedError
from healthkit._watcher.heartbeat import Heart
from healthkit._watcher.leadership import Term
from healthkit.errors import ConfigError, HealthkitError, Problem, StoreError

log = logging.getLogger("healthkit")

TICK = 0.5
"""Seconds after which a leader looks what has come due, and a standby whether it is to lead."""
DRAIN = 8.0
"""Seconds that messages in hand have to end when the watcher is told to."""
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""It runs on while the process is stopped, and where it can while the machine sleeps."""

Load = Callable[[], tuple[Settings, PluginManager]]


class Watcher:
    """Runs on the calling thread from `run` until `stop`; `reload` reads the configuration again.

    `load()` gives the configuration and may raise ConfigError. Raises it, or StoreError, when made.
    `stop` and `reload` may be called from signal handlers and other threads.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._settings, self._plugins = load()
        self._store = Store(self._settings.store.url.get_secret_value())
        self._me = lease.identity()
        self._inbox: Any = _threads.original("queue", "SimpleQueue")()
        self._term: Term | None = None
        self._stopping = False
        self._reload = False
        self._renewed = 0.0
        self._lease = (0, 0.0)
        """The epoch that it leads in, and until when."""
        self._fault = ""
        self._heart: Heart | None = None

    # From anywhere

    def stop(self) -> None:
        """Ends `run` after the messages in hand, or 8 s."""
        self._stopping = True
        self._inbox.put(None)

    def reload(self) -> None:
        """Reads the configuration again; one with mistakes is refused and the old one goes on."""
        self._reload = True
        self._inbox.put(None)

    def leads(self, epoch: int) -> bool:
        """Whether it holds the lease of an epoch, by a clock that runs on while it is frozen."""
        held, until = self._lease
        return held == epoch and time.clock_gettime(_CLOCK) < until

    # The loop

    def run(self) -> None:
        self._start_heart()
        log.info("watching %d checks", len(self._settings.checks))
        try:
            while not self._stopping:
                self._turn()
                self._wait()
        finally:
            self._end()

    def _turn(self) -> None:
        if self._reload:
            self._reload = False
            self._read_again()
        try:
            self._keep_lease()
            if self._term is not None:
                self._term.round()
            self._say("")
        except FencedError:
            self._step_down("another watcher leads")
        except StoreError as error:
            self._say(str(error))
        except Exception as error:  # whatever it is, the watcher must not end by it
            log.exception("a round failed")
            self._say(f"a round failed: {type(error).__name__}")
            if self._term is not None:
                self._term.forget_results()

    def _wait(self) -> None:
        """For results, an order, or the next tick."""
        try:
            self._inbox.get(timeout=TICK)
            while not self._inbox.empty():
                self._inbox.get()
        except _threads.original("queue", "Empty"):
            pass

    def _say(self, fault: str) -> None:
        """What is wrong now, into the log and the heartbeat, when it changes."""
        if fault == self._fault:
            return
        if fault:
            log.error("%s; results are kept and written when it can be", fault)
        else:
            log.info("all is well again")
        self._fault = fault
        if self._heart is not None and self._term is not None:
            self._heart.beat()

    # The lease

    def _keep_lease(self) -> None:
        length = self._settings.watch.lease
        asked = time.clock_gettime(_CLOCK)
        if self._term is not None and asked - self._renewed < length.total_seconds() / 4:
            return
        with self._store.transaction() as connection:
            epoch = lease.take(connection, self._me, length, datetime.now(UTC))
        if epoch is None:
            self._step_down("another watcher leads")
            return
        self._renewed, self._lease = asked, (epoch, asked + length.total_seconds())
        if self._term is not None and self._term.epoch != epoch:
            self._stop_term(0.0)
        if self._term is None:
            self._lead(epoch)

    def _lead(self, epoch: int) -> None:
        term = Term(
            self._settings,
            self._plugins,
            self._store,
            epoch,
            allowed=lambda: self.leads(epoch),
            wake=lambda: self._inbox.put(None),
        )
        term.start()
        self._term = term
        log.info("leading, epoch %d", epoch)
        if self._heart is not None:
            self._heart.beat()

    def _step_down(self, why: str) -> None:
        if self._term is not None:
            log.warning("no longer leading: %s", why)
            self._term.stop(0.0)
            self._term = None
        self._lease = (0, 0.0)

    # The configuration

    def _read_again(self) -> None:
        try:
            settings, plugins = self._load()
            self._refuse_other_store(settings)
        except HealthkitError as error:
            for line in error.lines():
                log.error("%s", line)
            log.error("the new configuration is refused; the old one goes on")
            return
        epoch = self._stop_term(DRAIN)
        self._settings, self._plugins = settings, plugins
        self._start_heart()
        log.info("the configuration was read again")
        if epoch is not None:
            try:
                self._lead(epoch)
            except StoreError as error:  # the next turn takes the lease again, and leads
                log.error("%s", error)

    def _refuse_other_store(self, settings: Settings) -> None:
        if settings.store != self._settings.store:
            why = "cannot change while the watcher runs: restart it"
            raise ConfigError(settings.source, [Problem("store.url", why)])

    def _start_heart(self) -> None:
        if self._heart is not None:
            self._heart.stop()
            self._heart = None
        watch = self._settings.watch
        if url := watch.heartbeat.get_secret_value():
            self._heart = Heart(url, watch.heartbeat_every, self._vital_sign)
            self._heart.start()

    def _vital_sign(self) -> str | None:
        """For the heart: None unless it leads, or fails to write what it leads."""
        return self._fault if self._term is not None else None

    # The end

    def _stop_term(self, seconds: float) -> int | None:
        term, self._term = self._term, None
        if term is None:
            return None
        if not term.stop(seconds):
            log.warning("a message was still being sent: it may have arrived, and is sent again")
        return term.epoch

    def _end(self) -> None:
        epoch = self._stop_term(DRAIN)
        if self._heart is not None:
            self._heart.stop()
        try:
            if epoch is not None:
                with self._store.transaction() as connection:
                    lease.release(connection, epoch)
        except StoreError as error:
            log.error("%s", error)
        self._store.close()
        log.info("ended")
