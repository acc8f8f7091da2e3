"""A pytest plugin for people who write healthkit plugins: a scripted check, a Health in memory,
one run of a check, and a wait for what another thread brings about."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import Field, SecretStr

from healthkit.check import Check, CheckContext, Heartbeats
from healthkit.model import CheckInfo, Outcome
from healthkit.service import Health
from healthkit.settings import ConfiguredCheck, ServiceSettings, Settings, StoreSettings

Value = TypeVar("Value")


class ScriptedCheck(Check):
    """Answers what `says()` returns, and notes the native thread of each run in `runs`."""

    says: Callable[[], Any] = Outcome.healthy
    runs: list[int] = Field(default_factory=list)

    def run(self, context: CheckContext) -> Outcome:
        self.runs.append(threading.get_native_id())
        outcome: Outcome = self.says()
        return outcome


def configured(name: str, check: Any, **info: Any) -> ConfiguredCheck:
    """A check as the settings hold it, quick unless `info` says otherwise."""
    quick = {"interval": timedelta(seconds=0.05), "timeout": timedelta(seconds=0.2)}
    return ConfiguredCheck(
        info=CheckInfo(name=name, label=name.title(), **{**quick, **info}), type="test", check=check
    )


@pytest.fixture
def make_health(tmp_path: Path) -> Iterator[Callable[..., Health]]:
    """`make_health(database=ScriptedCheck(), disk=(ScriptedCheck(), {"fail_after": 1}))`."""
    made: list[Health] = []

    def make(**checks: Any) -> Health:
        given = {n: c if isinstance(c, tuple) else (c, {}) for n, c in checks.items()}
        settings = Settings(
            service=ServiceSettings(name="Test", version="1.2.3", environment="test"),
            store=StoreSettings(url=SecretStr(f"sqlite:///{tmp_path}/store.db")),
            checks=tuple(configured(n, c, **info) for n, (c, info) in given.items()),
        )
        made.append(Health(settings))
        return made[-1]

    yield make
    for health in made:
        health.stop()


@pytest.fixture
def run_check() -> Callable[..., Outcome]:
    """Runs a check once: `run_check(check, name="x", timeout=5.0, now=…, heartbeats=…)`."""

    def run(
        check: Check,
        *,
        name: str = "check",
        timeout: float = 5.0,
        now: datetime | None = None,
        heartbeats: Heartbeats | None = None,
    ) -> Outcome:
        return check.run(CheckContext(name, now or datetime.now(UTC), timeout, heartbeats))

    return run


def wait_until(condition: Callable[[], Value], seconds: float = 10.0) -> Value:
    """The first true value of `condition`, which another thread or process brings about.

    Raises AssertionError when it has not come within `seconds`.
    """
    pause = threading.Event()
    for _ in range(int(seconds * 100)):
        if value := condition():
            return value
        pause.wait(0.01)
    raise AssertionError(f"it has not come about within {seconds:g} s")


@pytest.fixture
def until() -> Callable[..., Any]:
    """`wait_until` as a fixture."""
    return wait_until
