"""Health: the one object that a user holds."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from healthkit import _rendering
from healthkit._builtin import Heartbeat
from healthkit._check import Backlog
from healthkit._config import loader
from healthkit._config.settings import Settings
from healthkit._model.checks import Report, Role, Status
from healthkit._plugins import PluginManager
from healthkit._rendering import Page, View
from healthkit._runner import Runner
from healthkit._store.database import Store

Pages = Mapping[str, Page]


class Health:
    """Runs the checks of `settings` in the background and hands out what they found.

        health = Health.from_file("healthkit.toml")
        with health:
            health.report().status

    `views` adds pages of one's own to `_rendering.VIEWS`: each turns a report into bytes, on the
    runner's thread, once for each publication.
    """

    def __init__(self, settings: Settings, views: Mapping[str, View] | None = None) -> None:
        self.settings = settings
        self._views: Mapping[str, View] = {**_rendering.VIEWS, **(views or {})}
        self._store: Store | None = None
        self._runner: Runner[Pages] = Runner(
            settings.service.service(),
            [(check.info, check.check) for check in settings.checks],
            self._render,
            heartbeats=self,
            outbox=self,
        )

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str] = loader.DEFAULT_FILE,
        *,
        environ: Mapping[str, str] | None = None,
        live: Mapping[str, Mapping[str, Any]] | None = None,
        plugins: Iterable[Any] = (),
        plugins_dir: Path | None = None,
        views: Mapping[str, View] | None = None,
    ) -> Self:
        """Reads healthkit.toml for a process that serves. Raises ConfigError with every mistake in
        it, but for addresses of channels: nothing is sent from here, so they are left to the
        watcher, as are the checks that are `watch_only`.

        `live` hands objects to checks by name: `{"database": {"engine": engine}}`.
        """
        manager = PluginManager(plugins, plugins_dir)
        settings = loader.load(path, manager, environ, live, addresses=False)
        ours = tuple(check for check in settings.checks if not check.watch_only)
        return cls(settings.model_copy(update={"checks": ours}), views)

    # Running

    @property
    def needs_start(self) -> bool:
        """Whether nothing has started the checks in this process yet (a fork, a lazy mount)."""
        return self._runner.needs_start

    def start(self, wait: float = 0.0) -> None:
        """Starts the checks, once in each process; waits up to `wait` seconds for the first results
        of those that are required: an advisory one may take its time."""
        self._runner.start()
        until = time.monotonic() + wait
        while time.monotonic() < until and self._waits_for_results():
            time.sleep(0.01)

    def stop(self, timeout: float = 5.0) -> None:
        """Stops the checks; those that hang end when they can."""
        self._runner.stop(timeout)
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

    def _waits_for_results(self) -> bool:
        results = self._runner.snapshot.report.results
        return any(
            result.outcome.status is Status.UNKNOWN and result.check.role is Role.REQUIRED
            for result in results
        )

    # Reading

    def report(self) -> Report:
        """The last report, from memory; how old it is its `at` tells."""
        return self._runner.snapshot.report

    def page(self, view: str) -> Page:
        """A page made in advance, or its stale form when the runner has gone silent.

        Raises KeyError for an unknown view.
        """
        return self._runner.snapshot.current()[view]

    def check_once(self) -> Report:
        """Runs every check once and returns what they found."""
        return self._runner.run_once()

    def _render(self, report: Report) -> Pages:
        return {name: _guarded(view, report) for name, view in self._views.items()}

    # Heartbeats

    @property
    def store(self) -> Store:
        """The store, opened when first needed. Raises StoreError."""
        if self._store is None:
            self._store = Store(self.settings.store.url.get_secret_value())
        return self._store

    def beat(self, name: str) -> None:
        """Notes a heartbeat. Raises KeyError for a name that no heartbeat check has."""
        if name not in self.heartbeat_names():
            raise KeyError(name)
        self.store.beat(name, datetime.now(UTC))

    def heartbeat_names(self) -> dict[str, str | None]:
        """Names of the heartbeat checks, each with its token for `POST /health/beat/TOKEN`."""
        return {
            check.info.name: check.check.token.get_secret_value() if check.check.token else None
            for check in self.settings.checks
            if isinstance(check.check, Heartbeat)
        }

    def last_beat(self, name: str) -> datetime | None:
        return self.store.last_beat(name)

    def waiting_since(self, name: str, now: datetime) -> datetime:
        return self.store.waiting_since(name, now)

    def backlog(self, now: datetime) -> Backlog:
        """How the alerts fare. Raises StoreError."""
        return self.store.backlog(now)


def _guarded(view: View, report: Report) -> Page:
    """A view that raises makes its own page a 503, and no other."""
    try:
        return view(report)
    except Exception as error:  # noqa: BLE001  a view may be anybody's
        body = {
            "status": "unhealthy",
            "error": f"the page could not be made: {type(error).__name__}",
        }
        return _rendering.page(503, _rendering.JSON, _rendering.dump(body))
