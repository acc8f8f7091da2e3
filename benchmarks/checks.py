"""A thousand checks, each every second: the share of a core and the memory that they take."""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psutil
from pydantic import SecretStr

from healthkit import (
    Check,
    CheckContext,
    Health,
    Outcome,
    Result,
    ServiceSettings,
    Settings,
    Status,
    StoreSettings,
)
from healthkit.testing import configured, wait_until

CHECKS = 1000
SECONDS = 20.0


class Quick(Check):
    """A check that asks nobody."""

    def run(self, context: CheckContext) -> Outcome:
        return Outcome.healthy()


def _is_healthy(result: Result) -> bool:
    return result.outcome.status is Status.HEALTHY


def main() -> None:
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        gc.collect()
        before = process.memory_info().rss
        every = {"interval": timedelta(seconds=1), "timeout": timedelta(seconds=5)}
        settings = Settings(
            service=ServiceSettings(name="Benchmark"),
            store=StoreSettings(url=SecretStr(f"sqlite:///{Path(folder)}/store.db")),
            checks=tuple(configured(f"check{at:04}", Quick(), **every) for at in range(CHECKS)),
        )
        health = Health(settings)
        health.start()
        try:
            wait_until(
                lambda: all(
                    one.outcome.status is Status.HEALTHY for one in health.report().results
                ),
                60,
            )
            time.sleep(3)  # until each has run some times
            used, began = process.cpu_times(), time.monotonic()
            time.sleep(SECONDS)
            now, passed = process.cpu_times(), time.monotonic() - began
            memory = process.memory_info().rss - before
        finally:
            health.stop()
    share = (now.user + now.system - used.user - used.system) / passed
    print(f"\n{CHECKS} checks, each every second, Python {sys.version.split()[0]}\n")
    print("|                          |  found |")
    print("| ------------------------ | -----: |")
    print(f"| share of a core          | {share:6.1%} |")
    print(f"| memory, MB               | {memory / 1e6:6.1f} |")
