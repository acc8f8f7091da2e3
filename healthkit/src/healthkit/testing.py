"""A pytest plugin for people who write healthkit plugins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from healthkit.check import Check, CheckContext, Heartbeats
from healthkit.model import Outcome

RunCheck = Callable[..., Outcome]


@pytest.fixture
def run_check() -> RunCheck:
    """Runs a check once: `run_check(check, name="x", timeout=5.0, now=..., heartbeats=...)`."""

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
