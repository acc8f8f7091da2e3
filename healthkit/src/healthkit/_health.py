"""Health: the one object that a service holds."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from healthkit import _rendering
from healthkit._builtin import Heartbeat, Pushed
from healthkit._clock import SYSTEM_CLOCK, Clock
from healthkit._config import loader
from healthkit._config.objectives import alert_names
from healthkit._config.settings import ConfiguredCheck, Settings
from healthkit._model.checks import Outcome, Report, Role, Status
from healthkit._model.signals import Run, Signal, SignalKind
from healthkit._outcomes import make_whole
from healthkit._plugins import PluginManager
from healthkit._reading import read_for_serving
from healthkit._recorder import Recorder
from healthkit._rendering import RenderedResponse, Renderer
from healthkit._runner import Runner
from healthkit._views import CHECK, GROUP, Views, parts_of

if TYPE_CHECKING:
    from healthkit._model.alerts import LinkAct, OutboxStatus
    from healthkit._model.budgets import Budget
    from healthkit._status.publisher import StatusPublisher
    from healthkit._store.acts import Act
    from healthkit._store.database import Store

F = TypeVar("F", bound=Callable[..., Any])


class Health:
    """Runs the checks of `settings` in the background and hands out their results::

        health = Health.from_file("healthkit.toml")
        with health:
            health.report().status

    `renderers` adds responses to the built-in ones: each turns a report into bytes, on the runner's
    thread, once for each publication.
    """

    def __init__(
        self,
        settings: Settings,
        renderers: Mapping[str, Renderer] | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.settings = settings
        self._renderers: Mapping[str, Renderer] = {**_rendering.RENDERERS, **(renderers or {})}
        self._clock = clock
        self._store: Store | None = None
        self._recorder = Recorder(lambda: self.store, clock)
        self._status: StatusPublisher | None = None
        self._elsewhere: tuple[ConfiguredCheck, ...] = ()
        self._runner = self._make_runner()

    def _make_runner(self) -> Runner[Views]:
        checks = self.settings.checks
        self._public_details = {
            check.info.name: getattr(check.check, "public_details", ()) for check in checks
        }
        self._parts = parts_of(checks, self.settings.groups)
        return Runner(
            self.settings.service.service(),
            [(check.info, check.check) for check in checks],
            self._render,
            heartbeats=self,
            outbox=self,
            clock=self._clock,
        )

    def check(self, name: str, *, every: Any = None, **settings: Any) -> Callable[[F], F]:
        """Makes a check of the function below it, which stays as it is::

            @health.check("queue", every="10s", severity="critical")
            def queue():
                return len(jobs) < 1000

        It may be async, and may take the CheckContext. None and True are healthy, False is
        unhealthy, a text is the message, a number the detail `value`, an Outcome stands as it is;
        what it raises is unhealthy with its cause. `every` is the interval ("10s" or a timedelta);
        `settings` are those of `configure_check`. Raises ConfigError for a mistake in them, a name
        that is taken included; RuntimeError once the checks run.
        """
        if every is not None:
            settings["interval"] = every

        def add(function: F) -> F:
            from healthkit._config.checks import configure_check
            from healthkit._functions import FunctionCheck

            if not self._runner.needs_start:
                raise RuntimeError("the checks run already: add this one before they start")
            added = configure_check(name, FunctionCheck(function), **settings)
            known = {field: getattr(self.settings, field) for field in Settings.model_fields}
            ours = (*self.settings.checks, added)
            whole = Settings(**{**known, "checks": (*ours, *self._elsewhere)})
            self.settings = whole.model_copy(update={"checks": ours})
            self._runner = self._make_runner()
            return function

        return add

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str] = loader.DEFAULT_FILE,
        *,
        environ: Mapping[str, str] | None = None,
        resources: Mapping[str, Mapping[str, Any]] | None = None,
        plugins: Iterable[Any] = (),
        plugins_dir: Path | None = None,
        renderers: Mapping[str, Renderer] | None = None,
    ) -> Self:
        """Reads healthkit.toml for a process that serves. Raises ConfigError with every mistake in
        it, but for channel URLs: nothing is sent from here, so they are left to the watcher, as are
        the checks that are `watch_only`.

        `resources` hands objects to checks by name: `{"database": {"engine": engine}}`.
        """
        manager = PluginManager(plugins, plugins_dir)
        settings = read_for_serving(path, manager, environ, resources)
        ours = tuple(check for check in settings.checks if not check.watch_only)
        health = cls(settings.model_copy(update={"checks": ours}), renderers)
        if manager.implements("healthkit_act"):

            def observe(act: LinkAct) -> None:
                manager.call_all("healthkit_act", act=act)

            health._recorder.observe = observe
        health._elsewhere = tuple(check for check in settings.checks if check.watch_only)
        return health

    # Running

    @property
    def needs_start(self) -> bool:
        """Whether nothing has started the checks in this process yet (a fork, a lazy mount)."""
        return self._runner.needs_start

    def start(self, wait: float = 0.0) -> None:
        """Starts the checks, once in each process; waits up to `wait` seconds for the first results
        of those that are required: an advisory one may take its time."""
        self._runner.start()
        if self.settings.status.access != "off" or self.settings.slo:
            self._pages().start()
        until = self._clock.monotonic() + wait
        while self._clock.monotonic() < until and not self.has_first_results:
            self._clock.sleep(0.01)

    def stop(self, timeout: float = 5.0) -> None:
        """Stops the checks; those that hang end when they can."""
        self._runner.stop(timeout)
        if self._status is not None:
            self._status.stop()
        if self._store is not None:
            self._store.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def has_first_results(self) -> bool:
        """Whether every required check has run: an advisory one may take its time."""
        return not any(
            result.outcome.status is Status.UNKNOWN and result.check.role is Role.REQUIRED
            for result in self._runner.snapshot.report.results
        )

    def now(self) -> datetime:
        """Returns the time of its clock, in UTC."""
        return self._clock.now()

    # Reading

    def report(self) -> Report:
        """Returns the last report, from memory; `at` is its time."""
        return self._runner.snapshot.report

    def response(
        self,
        renderer: str = "json",
        *,
        details: bool = True,
        check: str | None = None,
        group: str | None = None,
    ) -> RenderedResponse:
        """Returns a response made in advance, or its stale form when the runner has stopped;
        without `details` as strangers may see it, with no text of a check and no host or path.

        With `check` it is the report of that check alone, with `group` of the checks of that group
        (by its name in paths, "front-of-house"), each by its own rule. Built in are json,
        health+json, plain, prometheus, live, ready, startup. Raises KeyError for an unknown
        renderer, check or group.
        """
        part = None
        if check is not None or group is not None:
            part = (CHECK, check) if check is not None else (GROUP, group or "")
        views = self._runner.snapshot.current(self._clock.monotonic())
        found = views.response(renderer, details=details, part=part)
        if renderer == "prometheus" and part is None and self.settings.slo:
            budgets = _rendering.budget_metrics(self._pages().budgets())
            return _rendering.joined(found, budgets.encode())
        return found

    def measured(self) -> tuple[Report, Mapping[str, Budget]]:
        """Returns what `/metrics` is made of, from memory: the report, as unhealthy where nothing
        has renewed it, and the budget of each objective that is measured."""
        views = self._runner.snapshot.current(self._clock.monotonic())
        return views.report, self._pages().budgets() if self.settings.slo else {}

    def check_once(self) -> Report:
        """Runs every check once and returns the results."""
        return self._runner.run_once()

    def _render(self, report: Report) -> Views:
        return Views(report, self._renderers, self._public_details, self._parts)

    def status_page(self) -> StatusPublisher | None:
        """Returns the status page; None where `[status]` switches it off."""
        return None if self.settings.status.access == "off" else self._pages()

    def _pages(self) -> StatusPublisher:
        if self._status is None:
            from healthkit._status.publisher import StatusPublisher

            # What the watcher alone runs is on the page too.
            shown = (*self.settings.checks, *self._elsewhere)
            settings = self.settings.model_copy(update={"checks": shown})
            self._status = StatusPublisher(settings, lambda: self.store, self._clock)
        return self._status

    # The store

    @property
    def store(self) -> Store:
        """The store, opened when first needed. Raises StoreError."""
        if self._store is None:
            from healthkit._store.database import Store

            self._store = Store(self.settings.store_url)
        return self._store

    def beat(
        self, name: str, kind: str = "success", *, code: int | None = None, text: str | None = None
    ) -> None:
        """Records a heartbeat: "success", "start", "failure" or "log", with the exit code of the
        job and what it said last. The store is written on a native thread: one that is locked holds
        up this caller, and no other greenlet. Raises KeyError for a name that no heartbeat check
        has, ValueError for another kind, and StoreError."""
        if name not in self.heartbeat_names():
            raise KeyError(name)
        self._recorder.record(Signal(name, self._clock.now(), SignalKind(kind), code, text))

    def push(self, name: str, outcome: Outcome) -> None:
        """Records a result of a check of type `pushed`, with the numbers among its details. Raises
        KeyError for a name that no such check has, and StoreError."""
        if not any(
            c.info.name == name and isinstance(c.check, Pushed) for c in self.settings.checks
        ):
            raise KeyError(name)
        whole = make_whole(outcome)
        numbers = {k: v for k, v in whole.details.items() if type(v) in (int, float)}
        text, now = whole.message, self._clock.now()
        self._recorder.record(
            Signal(name, now, SignalKind.RESULT, None, text, whole.status, numbers)
        )

    def awaited(self, token: str) -> ConfiguredCheck | None:
        """Returns the check that takes what is sent in under a token, or None."""
        given, found = token.encode("utf-8", "replace"), None
        for check in self.settings.checks:
            for known in (
                check.check.tokens() if isinstance(check.check, Heartbeat | Pushed) else ()
            ):
                if hmac.compare_digest(given, known.encode()):
                    found = check
        return found

    def signal_steps(self, signal: Signal) -> Iterator[float]:
        """Records what was sent in, for a caller that must not block: yields the seconds to sleep
        until the next step, and ends when it is in the store. Raises StoreError."""
        return self._recorder.signal_steps(signal)

    def act_steps(self, act: Act) -> Iterator[float]:
        """Does what somebody asks for by a link, as `signal_steps` records: its answer is there
        when the steps end. Raises StoreError."""
        return self._recorder.act_steps(act)

    def silence(
        self,
        duration: timedelta,
        *,
        checks: Sequence[str] = (),
        tags: Sequence[str] = (),
        reason: str = "",
        by: str = "",
    ) -> int:
        """Mutes new faults of the checks of these names or tags (none given: of every check) for so
        long. Returns the silence's number. Raises KeyError for an unknown check or tag, and
        StoreError."""
        settings = self.settings
        names = {*(check.info.name for check in settings.checks), *alert_names(settings)}
        known_tags = {tag for check in settings.checks for tag in check.info.tags}
        known_tags |= {tag for one in settings.slo.values() for tag in one.tags}
        for unknown in (*(set(checks) - names), *(set(tags) - known_tags)):
            raise KeyError(unknown)
        from healthkit._store import incidents

        now = self._clock.now()
        with self.store.transaction() as connection:
            return incidents.add_silence(
                connection, now + duration, now, reason=reason, checks=checks, tags=tags, by=by
            )

    def end_silence(self, number: int) -> bool:
        """Ends a silence. Returns False when none of that number is in force. Raises StoreError."""
        from healthkit._store import incidents

        with self.store.transaction() as connection:
            return incidents.end_silence(connection, number, self._clock.now())

    def heartbeat_names(self) -> dict[str, str | None]:
        """Returns the heartbeat checks, each with its token for `POST /health/beat/TOKEN`."""
        return {
            check.info.name: check.check.token.get_secret_value() if check.check.token else None
            for check in self.settings.checks
            if isinstance(check.check, Heartbeat)
        }

    # The protocols HeartbeatReader and OutboxReader, for checks

    def last_beat(self, name: str) -> datetime | None:
        return self.store.last_beat(name)

    def waiting_since(self, name: str, now: datetime) -> datetime:
        return self.store.waiting_since(name, now)

    def last_run(self, name: str) -> Run | None:
        return self.store.last_run(name)

    def outbox_status(self, now: datetime) -> OutboxStatus:
        """Returns the state of the alerts. Raises StoreError."""
        return self.store.outbox_status(now)
