"""Everything fails at once, by chance: checks that answer with nonsense, channels that fail and
hang, a store that is locked or full, a clock that is set, broken configurations, watchers that die.

Time is a clock of the test's, so that a run of many minutes takes a second. Each run is named by
its number: the same number makes the same faults.
"""

import logging
import os
import random
import sqlite3
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from healthkit import Outcome, Severity
from healthkit._config.alert_tables import AlertSettings, ChannelSettings, RouteSettings
from healthkit._config.service_tables import ServiceSettings, StoreSettings, WatchSettings
from healthkit._config.settings import Settings
from healthkit._plugins import PluginManager
from healthkit._store import outbox_status
from healthkit._store.database import Store
from healthkit._watcher.watcher import Watcher
from healthkit.errors import ConfigError, ConfigProblem
from healthkit.testing import (
    HttpSink,
    ManualClock,
    ScriptedCheck,
    StubResponse,
    configured,
    wait_until,
)

NAMES = ("alpha", "beta", "gamma")
RUNS = int(os.environ.get("HEALTHKIT_RUNS", "20"))
TICK = 3
"""Seconds of the test's clock that pass at a time, and between two runs of a check."""
STEP = 30
"""Seconds between two changes of the world: enough to take over, and to see a fault twice."""
STEPS = 10
STUCK = 150
"""Seconds after which the heartbeat must say that nobody can be reached: the patience of a channel,
and some tries of its fallback."""
JUMPS = (-400, -1, 1, 3653)
"""Days by which somebody sets the clock."""

# What a check in trouble answers; each is a fault, or is made one.
TROUBLES = (
    lambda: Outcome.unhealthy("refused"),
    lambda: Outcome.unhealthy("\ud800 \x1b[2J\n@everyone" + "x" * 5000, at=object(), n=10**500),
    lambda: Outcome("broken", {1: {2: [3]}}, None),
    lambda: None,
    lambda: float("nan"),
    lambda: 1 / 0,
    lambda: (_ for _ in ()).throw(SystemExit("gone")),
    lambda: (_ for _ in ()).throw(KeyboardInterrupt()),
)


@dataclass
class Channel:
    """A service on loopback, and what it has accepted: the kind and the check of each message."""

    sink: HttpSink
    mood: str = "works"
    taken: list[tuple[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    on_taken: object = None

    def __post_init__(self):
        self.sink.respond_with(self._respond)

    def _respond(self, request):
        if self.mood == "fails":
            return StubResponse(503)
        if self.mood == "hangs":
            self.released.wait(30)
            return StubResponse(503)
        title = request.json()["title"]
        kind = "down" if title.endswith(" is DOWN") else "up" if "back UP" in title else title
        name = next((name for name in NAMES if name.title() in title), "?")
        self.taken.append((kind, name))
        if self.on_taken is not None:
            self.on_taken()
        return StubResponse(200)

    def turn(self, mood):
        self.released.set()
        if mood == "hangs":
            self.released.clear()
        self.mood = mood


class World:
    """A watcher on three checks and three channels: `a` falls back to `c`, `b` stands alone."""

    def __init__(self, folder, number):
        self.chance = random.Random(number)
        self.clock = ManualClock()
        self.channels = {name: Channel(HttpSink()) for name in ("a", "b", "c")}
        self.beats = []
        self.kuma = HttpSink()
        self.kuma.respond_with(self._take_beat)
        self.trouble = dict.fromkeys(NAMES)
        self.periods, self.certain = dict.fromkeys(NAMES, 0), dict.fromkeys(NAMES, 0)
        self.known_bad = dict.fromkeys(NAMES, False)
        self.doubtful = 0
        """Messages that were accepted and whose acceptance was not stored: each may come twice."""
        self.store_fault, self.dying, self.configuration = "", False, "whole"
        self.lives = 0
        self.unreachable_since = self.unwritable_since = None
        self.log = []
        self.url = f"sqlite:///{folder}/{number}.db"
        self.store = Store(self.url)
        self.watcher = self.thread = None
        self.start()

    # The watcher

    def settings(self):
        urls = {n: SecretStr(c.sink.url(f"/{n}", "json")) for n, c in self.channels.items()}
        # No check overruns for a thread that is late: the clock goes on without it.
        often = {"interval": timedelta(seconds=TICK), "timeout": timedelta(hours=1)}
        counts = {"fail_after": 2, "recover_after": 1, "severity": Severity.CRITICAL}
        long = {"timeout": timedelta(seconds=1), "give_up_after": timedelta(hours=9)}
        return Settings(
            service=ServiceSettings(name="Till"),
            store=StoreSettings(url=SecretStr(self.url)),
            checks=tuple(
                configured(n, ScriptedCheck(outcome=partial(self._answer, n)), **often, **counts)
                for n in NAMES
            ),
            channels={
                "a": ChannelSettings(
                    url=urls["a"], fallback="c", **{**long, "give_up_after": timedelta(minutes=1)}
                ),
                "b": ChannelSettings(url=urls["b"], **long),
                "c": ChannelSettings(url=urls["c"], **long),
            },
            routes={Severity.CRITICAL: RouteSettings(channels=("a", "b"))},
            alerts=AlertSettings(burst=1000, flap_window=0),
            watch=WatchSettings(
                heartbeat=SecretStr(self.kuma.url("/api/push/TOKEN")),
                heartbeat_every=timedelta(seconds=5),
            ),
        )

    def load(self):
        if self.configuration == "broken":
            raise ConfigError("healthkit.toml", [ConfigProblem("checks", "nonsense")])
        if self.configuration == "raises":
            raise SystemExit("a plugin ends the process")
        return self.settings(), PluginManager((), entry_points=False)

    def start(self):
        self.watcher = watcher = Watcher(self.load, self.clock)
        self.lives += 1
        watcher._me = f"machine/1/{self.lives} watcher"  # a process of its own
        engine = watcher._store.engine
        event.listen(engine, "before_cursor_execute", lambda *_: self._fail_store(watcher))
        event.listen(engine, "commit", lambda *_: self._fail_store(watcher))
        self.thread = threading.Thread(target=watcher.run, daemon=True)
        self.thread.start()

    def _fail_store(self, watcher):
        if self.dying or watcher is not self.watcher:
            raise sqlite3.OperationalError("this process is no more")
        if self.store_fault:
            raise sqlite3.OperationalError(self.store_fault)

    def kill(self):
        """The watcher is gone: nothing that it does from now on reaches the store."""
        old, self.watcher, self.dying = self.watcher, None, False
        old.stop()
        self.configuration = "whole"
        self.start()

    def _answer(self, name):
        trouble = self.trouble[name]
        return Outcome.healthy() if trouble is None else trouble()

    # Time

    def settle(self):
        """Until every thread has done what this moment asks of it."""

        def idle():
            if not self.watcher._inbox.empty() or self.clock.waiting() < 2:
                return False
            # With the store out of order, a courier keeps the result of its send in its hands.
            return self.store_fault or self.dying or not self._in_hand()

        wait_until(idle)

    def _in_hand(self):
        """The number of messages that are claimed and whose result is not stored."""
        leadership = self.watcher._leadership
        couriers = leadership._couriers.values() if leadership else ()
        return sum(c.sending or not c._inbox.empty() for c in couriers)

    def pass_time(self, seconds):
        for _ in range(seconds // TICK):
            if self.dying:
                self.kill()
            self.clock.advance(TICK)
            self.settle()
            self._look_at_the_heartbeat()

    def _look_at_the_heartbeat(self):
        now = self.clock.monotonic()
        # Nobody knows of a channel to which nothing was sent since that it does not work.
        waiting = {channel for channel, _ in self.owed()}
        asked = "b" in waiting and bool(waiting & {"a", "c"})
        reachable = not asked or any(c.mood == "works" for c in self.channels.values())
        self.unreachable_since = None if reachable else (self.unreachable_since or now)
        self.unwritable_since = (self.unwritable_since or now) if self.store_fault else None
        for since in (self.unreachable_since, self.unwritable_since):
            if since is not None and now - since > STUCK:
                late = [status for at, status in self.beats if at > since + STUCK]
                assert "up" not in late, self.log

    def _take_beat(self, request):
        status = parse_qs(urlsplit(request.path).query)["status"][0]
        self.beats.append((self.clock.monotonic(), status))
        return StubResponse()

    def hear(self, record):
        """A send that overran on a busy machine may have arrived: it is tried again."""
        text = record.getMessage()
        if "it may have arrived" in text:
            # Of a channel, or of a watcher that has ended while it was sending.
            channel = self.channels.get(text.removeprefix("channel ").partition(":")[0])
            self.doubtful += channel is None or channel.mood != "hangs"
        return True

    def owed(self):
        with self.store.reading() as connection:
            return outbox_status.count_by_channel(connection)

    # What happens

    def change(self):
        """One or several things go wrong, or right again."""
        for act in self.chance.sample(ACTS, self.chance.randint(1, 3)):
            self.log.append(act.__name__)
            act(self)

    def check_fails(self):
        name = self.chance.choice(NAMES)
        self.periods[name] += self.trouble[name] is None
        self.trouble[name] = self.chance.choice(TROUBLES)

    def check_recovers(self):
        self.trouble[self.chance.choice(NAMES)] = None

    def channel_changes(self):
        channel = self.chance.choice(list(self.channels.values()))
        channel.turn(self.chance.choice(("works", "works", "fails", "hangs")))

    def store_fails(self):
        self.store_fault = self.chance.choice(("database is locked", "database or disk is full"))

    def store_works(self):
        self.store_fault = ""

    def clock_is_set(self):
        self.clock.jump(timedelta(days=self.chance.choice(JUMPS)))

    def is_read_again(self):
        self.configuration = self.chance.choice(("whole", "broken", "raises"))
        self.watcher.reload()

    def dies(self):
        if not self.store_fault:  # nobody could start another then
            self.doubtful += self._in_hand()
            self.kill()

    def dies_after_a_message(self):
        """The process ends between the service's acceptance and our commit."""

        def die():
            if not self.dying and not self.store_fault:
                self.doubtful += 1
                self.dying = True

        self.channels[self.chance.choice(("a", "b"))].on_taken = die

    def note_what_must_be_known(self, lives):
        """What stood while its results could be stored, and nobody died, has been seen."""
        if self.store_fault or self.dying or self.lives > lives:
            return
        for name in NAMES:
            bad = self.trouble[name] is not None
            self.certain[name] += bad and not self.known_bad[name]
            self.known_bad[name] = bad

    # The end

    def heal(self):
        for channel in self.channels.values():
            channel.on_taken = None
            channel.turn("works")
        self.store_fault, self.configuration = "", "whole"

    def come_to_an_end(self):
        """All works again, the faults as well, and what is owed is delivered."""
        self.heal()
        self.pass_time(2 * STEP)
        self.trouble = dict.fromkeys(NAMES)
        self.pass_time(2 * STEP)
        for _ in range(200):
            if not self.owed():
                return
            self.pass_time(STEP)
        raise AssertionError(f"still owed: {self.owed()} after {self.log}")

    def close(self):
        self.heal()
        self.watcher.stop()
        self.thread.join(60)
        self.store.close()
        for sink in (*(c.sink for c in self.channels.values()), self.kuma):
            sink.stop()


ACTS = (
    *[World.check_fails] * 3,
    *[World.check_recovers] * 2,
    *[World.channel_changes] * 2,
    *[World.store_works] * 2,
    World.store_fails,
    World.clock_is_set,
    World.is_read_again,
    World.dies,
    World.dies_after_a_message,
)


def without_doubles(kinds):
    return [kind for kind, before in zip(kinds, [None, *kinds], strict=False) if kind != before]


@pytest.fixture
def quiet_log(monkeypatch):
    """The log is read by the world alone: to write it takes longer than all the rest."""
    log = logging.getLogger("healthkit")
    monkeypatch.setattr(log, "propagate", False)
    monkeypatch.setattr(log, "handlers", [logging.NullHandler()])
    monkeypatch.setattr(log, "filters", [])
    return log


@pytest.mark.deep
@pytest.mark.parametrize("number", range(RUNS))
def test_each_fault_is_told_with_its_end_once_and_the_heartbeat_knows_when_nobody_is(
    tmp_path, quiet_log, number
):
    world = World(tmp_path, number)
    quiet_log.addFilter(world.hear)
    try:
        world.pass_time(STEP)
        for _ in range(STEPS):
            world.change()
            lives = world.lives
            world.pass_time(STEP)
            world.note_what_must_be_known(lives)
        world.come_to_an_end()
    finally:
        world.close()
    doubles = 0
    for name in NAMES:
        kinds = [kind for kind, of in world.channels["b"].taken if of == name]
        alone = without_doubles(kinds)
        doubles += len(kinds) - len(alone)
        assert alone == ["down", "up"] * (len(alone) // 2), (name, kinds, world.log)
        assert world.certain[name] <= alone.count("down") <= world.periods[name], world.log
        for kind in ("down", "up"):
            # What `a` does not take goes to `c`, and the end of it to whoever heard of it.
            counts = [world.channels[n].taken.count((kind, name)) for n in ("a", "c")]
            assert sum(counts) >= alone.count(kind), (counts, world.log)
            assert max(counts) <= alone.count(kind) + world.doubtful, (counts, world.log)
    assert doubles <= world.doubtful, world.log
