"""A watcher with a thousand checks and ten channels, of which one is dead and one hangs: whether
its memory stays flat over an hour, and how long a message takes from the answer that decides it.

The hour is one of the watcher's clock, which is moved as soon as it has done what a moment asks;
the time of a message is real.
"""

from __future__ import annotations

import logging
import random
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from functools import partial
from statistics import quantiles

import psutil
from pydantic import SecretStr

from healthkit import (
    AlertSettings,
    ChannelSettings,
    CheckContext,
    Outcome,
    RouteSettings,
    ServiceSettings,
    Settings,
    Severity,
    StoreSettings,
)
from healthkit._plugins import PluginManager
from healthkit._watcher.watcher import Watcher
from healthkit.testing import (
    HttpSink,
    ManualClock,
    Request,
    ScriptedCheck,
    StubResponse,
    configured,
    wait_until,
)

CHECKS = 1000
CHANNELS = 10
HOUR = 3600
TICK = 5
"""Seconds of the watcher's clock."""
INTERVAL = 60
FLIPS = 2
"""Checks that change at each tick."""
END = 600
"""Seconds after the hour within which the last messages must come."""
WARM = 600
"""Seconds between two looks at the memory; after the first it must stay."""


class Quiet(ScriptedCheck):
    """A check that keeps nothing of its runs."""

    def run(self, context: CheckContext) -> Outcome:
        return self.outcome()


class Hour:
    """The checks, what they answer, and when each message was decided and came."""

    def __init__(self) -> None:
        self.bad = dict.fromkeys((f"check{at:04}" for at in range(CHECKS)), False)
        self.decided: dict[str, float] = {}
        self.took: list[float] = []
        self.released = threading.Event()

    def answer(self, name: str) -> Outcome:
        bad = self.bad[name]
        if name in self.decided and self.decided[name] == 0.0:
            self.decided[name] = time.perf_counter()
        return Outcome.unhealthy("refused") if bad else Outcome.healthy()

    def flip(self, name: str) -> None:
        self.bad[name] = not self.bad[name]
        self.decided[name] = 0.0

    def take(self, request: Request) -> StubResponse:
        """The first channel takes the time; the others answer only."""
        words = request.json()["title"].lower().split()
        name = next((word for word in words if word in self.bad), "")
        if self.decided.get(name):
            self.took.append(time.perf_counter() - self.decided.pop(name))
        return StubResponse()

    def hang(self, request: Request) -> StubResponse:
        self.released.wait()
        return StubResponse(503)


def settings(folder: str, hour: Hour, urls: list[str]) -> Settings:
    every = {"interval": timedelta(seconds=INTERVAL), "timeout": timedelta(hours=1)}
    counts = {"fail_after": 1, "recover_after": 1, "severity": Severity.CRITICAL}
    names = [f"channel{at}" for at in range(CHANNELS)]
    return Settings(
        service=ServiceSettings(name="Till"),
        store=StoreSettings(url=SecretStr(f"sqlite:///{folder}/store.db")),
        checks=tuple(
            configured(name, Quiet(outcome=partial(hour.answer, name)), **every, **counts)
            for name in hour.bad
        ),
        channels={
            name: ChannelSettings(url=SecretStr(url), timeout=timedelta(seconds=1))
            for name, url in zip(names, urls, strict=True)
        },
        routes={Severity.CRITICAL: RouteSettings(channels=tuple(names))},
        alerts=AlertSettings(burst=1000, flap_window=0),
    )


@contextmanager
def watching(made: Settings, clock: ManualClock) -> Iterator[Watcher]:
    watcher = Watcher(lambda: (made, PluginManager((), entry_points=False)), clock)
    thread = threading.Thread(target=watcher.run)
    thread.start()
    try:
        yield watcher
    finally:
        watcher.stop()
        thread.join()


def main(arguments: Sequence[str] = ()) -> int:
    logging.getLogger("healthkit").setLevel(logging.CRITICAL + 1)
    hour, clock, chance = Hour(), ManualClock(), random.Random(1)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        sinks = [HttpSink() for _ in range(CHANNELS - 1)]
        for sink in sinks:
            stack.callback(sink.stop)
        stack.callback(hour.released.set)
        sinks[0].respond_with(hour.take)
        sinks[-1].respond_with(hour.hang)
        dead = stack.enter_context(socket.socket())
        dead.bind(("127.0.0.1", 0))  # and nobody listens
        urls = [sink.url("/", "json") for sink in sinks]
        urls.append(f"json://127.0.0.1:{dead.getsockname()[1]}/")
        stack.enter_context(watching(settings(folder, hour, urls), clock))
        began, process, memory = time.perf_counter(), psutil.Process(), {}
        for second in range(TICK, HOUR + END, TICK):
            clock.advance(TICK)
            for sink in sinks:
                sink.requests.clear()  # they are of this process too
            wait_until(lambda: clock.waiting() >= 2, 60)
            with suppress(AssertionError):  # what overran is sent again as the clock goes on
                wait_until(lambda: not any(hour.decided.values()), 5)
            if INTERVAL < second <= HOUR:
                # None of which a message is still to come: two changes at once are no change.
                for name in chance.sample(sorted(hour.bad.keys() - hour.decided.keys()), FLIPS):
                    hour.flip(name)
            if second % WARM == 0 and second <= HOUR:
                memory[second] = process.memory_info().rss / 1e6
            if second > HOUR and not hour.decided:
                break
        took = quantiles(hour.took, n=100)
    seconds = time.perf_counter() - began
    print(f"\n{CHECKS} checks, {CHANNELS} channels, one of them dead and one hanging;")
    print(f"{HOUR / 3600:g} h of the watcher's clock in {seconds:.0f} s,")
    print(f"{len(hour.took)} messages on a channel that works\n")
    print("|                                      |   found |")
    print("| ------------------------------------ | ------: |")
    for second, megabytes in memory.items():
        print(f"| memory after {second // 60:3} minutes, MB         | {megabytes:7.1f} |")
    print(f"| answer to message, median, ms        | {took[49] * 1000:7.1f} |")
    print(f"| answer to message, 99th percentile   | {took[98] * 1000:7.1f} |")
    print(f"| messages that never came             | {len(hour.decided):7} |")
    return 1 if hour.decided else 0
