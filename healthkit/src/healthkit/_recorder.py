"""Records in the store what is sent in over HTTP: signs of life, results, acts by a link."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from healthkit import _threads
from healthkit._beats import StoreWriter
from healthkit._clock import Clock
from healthkit._model.signals import Signal

if TYPE_CHECKING:
    from healthkit._model.alerts import LinkAct
    from healthkit._store.acts import Act
    from healthkit._store.database import Store

log = logging.getLogger("healthkit")


class Recorder:
    """Writes to the store that `store()` returns; `observe` is told of each act that is done."""

    def __init__(self, store: Callable[[], Store], clock: Clock) -> None:
        self.observe: Callable[[LinkAct], None] | None = None
        self._store = store
        self._clock = clock
        self._signals = StoreWriter(self._store_signals)
        self._acts = StoreWriter(self._store_acts)

    def record(self, signal: Signal) -> None:
        """Returns when a signal is in the store. Raises StoreError."""
        self._signals.record(signal)

    def signal_steps(self, signal: Signal) -> Iterator[float]:
        """Records a signal: yields the seconds to sleep until the next step, and ends when it is in
        the store. Raises StoreError."""
        return self._signals.steps(signal)

    def act_steps(self, act: Act) -> Iterator[float]:
        """Does an act, as `signal_steps` records. Raises StoreError."""
        try:
            yield from self._acts.steps(act)
        except Exception:
            if act.answer is None:  # else it is stored, and another of the same moment failed
                raise

    def _store_signals(self, signals: Sequence[Signal]) -> None:
        from healthkit._store import heartbeats

        with self._store().transaction() as connection:
            for signal in signals:
                heartbeats.record(connection, signal)

    def _store_acts(self, acts: Sequence[Act]) -> None:
        from healthkit._store.acts import perform

        for act in acts:
            now = self._clock.now()
            with self._store().transaction() as connection:
                answer = perform(connection, act, now)
            act.answer = answer
            if (done := act.done(now)) is not None and self.observe is not None:
                _tell(partial(self.observe, done))


def _tell(observe: Callable[[], None]) -> None:
    """Tells a plugin, whose part holds up nobody; and what is stored stays so."""
    try:
        _threads.start_native_thread(observe)
    except RuntimeError as error:
        log.warning("an act by a link is told to no plugin: %s", error)
