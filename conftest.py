"""How the whole suite runs: over several workers, what must be alone alone, and with a line for
each failure that says how to run that test by itself."""

from __future__ import annotations

import faulthandler
import fcntl
import gc
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import settings

MEMORY = Path("/dev/shm")  # noqa: S108 - what lies in it are folders of one's own
ROOM = 8 << 30
"""Bytes of free memory from which the files of tests go there. A whole run has some 2 GB of them,
and removes all at its end but those of tests that failed."""
SHARED_SERVER = "running_pos"
"""The fixture that costs most; who uses it goes to one worker."""
ENDED_EARLY = ("browser", SHARED_SERVER)
GROUPS = "groups.json"
LONG = {"slow", "fault", "browser"}
# A law is tried on some inputs each time, and on many by `make test-deep`.
# How long one takes is not what it is about.
settings.register_profile("deep", max_examples=300, deadline=None)
settings.register_profile("quick", max_examples=40, deadline=None)
settings.load_profile("quick")
GRACE = 120.0
"""Seconds, at most, that a test whose time is over has to end, and to put back what it used."""
_LOCKS = pytest.StashKey["Turnstile"]()
_STDERR = pytest.StashKey[int]()
_FOLDER = pytest.StashKey[Path]()


class Turnstile:
    """Lets the tests of all workers run beside each other, and one that must be alone alone."""

    def __init__(self, folder: Path) -> None:
        self._gate = (folder / "gate").open("wb")
        self._room = (folder / "room").open("wb")

    @contextmanager
    def passed(self, alone: bool) -> Iterator[None]:
        """Whoever waits to be alone keeps the gate, so that nobody goes in before it."""
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(self._gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)


def _keep_files_in_memory() -> None:
    """Hundreds of databases come and go: on a slow disk that is a third of the run, and the reason
    why a test waits in vain. A folder that TMPDIR names is taken instead."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    system = os.statvfs(MEMORY)
    free = min(system.f_bavail * system.f_frsize, psutil.virtual_memory().available)
    if free >= ROOM and not system.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it is read anew


def pytest_configure(config: pytest.Config) -> None:
    _keep_files_in_memory()
    # Commands are tried as a user's shell runs them: without a buffer other things go wrong.
    os.environ.pop("PYTHONUNBUFFERED", None)
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[_LOCKS] = Turnstile(Path(worker["together"]))
        config.stash[_STDERR] = os.dup(2)  # what a test writes to is a file that nobody reads
    elif config.getoption("numprocesses", None):
        config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="pytest-together-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Is called for each worker of pytest-xdist, also for one that replaces a crashed one."""
    node.workerinput["together"] = str(node.config.stash[_FOLDER])  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    if _FOLDER in config.stash:
        shutil.rmtree(config.stash[_FOLDER])


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around pytest-timeout: the wait does not count
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    if _LOCKS not in item.config.stash:
        return (yield)
    with item.config.stash[_LOCKS].passed(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Generator[None, Any, Any]:
    """The signal of pytest-timeout is not seen by what waits in C, or for a thread that does not
    end: without this a run would hang there until whoever waits for it gives up."""
    if _STDERR in item.config.stash:
        seconds = settings.timeout + min(settings.timeout, GRACE)
        faulthandler.dump_traceback_later(seconds, exit=True, file=item.config.stash[_STDERR])
    return (yield)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> Generator[None, Any, Any]:
    faulthandler.cancel_dump_traceback_later()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays: to look through it for garbage was a quarter of the collection."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Gives each test an id of its own; in a worker: tells what goes together, and has what is long
    begin first, so that it is not left over for one worker."""
    _require_own_ids(items)
    if not hasattr(config, "workerinput"):
        return
    groups = {item.nodeid: _group(item) for item in items}
    ranks: dict[str, int] = {}
    for item in items:
        group = groups[item.nodeid]
        ranks[group] = min(ranks.get(group, _rank(item)), _rank(item))
    items.sort(key=lambda item: ranks[groups[item.nodeid]])
    folder = Path(config.workerinput["together"])
    written = folder / config.workerinput["workerid"]
    written.write_text(json.dumps(groups))
    written.rename(folder / GROUPS)


def _require_own_ids(items: list[pytest.Item]) -> None:
    """Of tests with the same id pytest-xdist runs one, without a word about the others."""
    doubled = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if doubled:
        raise pytest.UsageError(f"tests with the same id: {', '.join(doubled)}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """pytest-xdist's own, but for what goes together. Its `--dist loadgroup` would put the group
    behind the test's name, which pytest 9.2 does not let it."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        @cached_property
        def groups(self) -> dict[str, str]:
            found: dict[str, str] = json.loads((config.stash[_FOLDER] / GROUPS).read_text())
            return found

        def _split_scope(self, nodeid: str) -> str:
            return self.groups[nodeid]

        def remove_node(self, node: Any) -> str | None:
            """The test that has ended its worker is named, and not tried again in the next."""
            for unit in self.assigned_work[node].values():
                for nodeid in (name for name, done in unit.items() if not done):
                    unit[nodeid] = True
                    super().remove_node(node)
                    return nodeid
            crashed: str | None = super().remove_node(node)
            return crashed

    return ByGroup(config, log)


def _group(item: pytest.Item) -> str:
    """Tests that share more than a session's fixtures; a long one that does not is its own."""
    if _uses_shared_server(item):
        return SHARED_SERVER
    shared = any(
        definitions[-1].scope in ("module", "package", "class")
        for definitions in item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]
    )
    return item.nodeid if _is_long(item) and not shared else item.nodeid.partition("::")[0]


def _rank(item: pytest.Item) -> int:
    return 0 if _uses_shared_server(item) else 1 if _is_long(item) else 2


def _uses_shared_server(item: pytest.Item) -> bool:
    return SHARED_SERVER in item.fixturenames  # type: ignore[attr-defined]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Ends what is costly to keep after the last of the tests that share it: a server that idles
    checks, watches and polls, and a browser has an event loop on the thread of all later tests."""
    following = getattr(nextitem, "fixturenames", ENDED_EARLY)  # the end of all ends them anyway
    for name in ENDED_EARLY:
        if name in item.fixturenames and name not in following:  # type: ignore[attr-defined]
            shared = item._fixtureinfo.name2fixturedefs[name][-1]  # type: ignore[attr-defined]
            shared.finish(item._request)  # type: ignore[attr-defined]


def _is_long(item: pytest.Item) -> bool:
    return any(mark.name in LONG for mark in item.iter_markers())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    failed = [*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")]
    names = (report.nodeid for report in failed if ".py" in report.nodeid)  # else it is a worker
    for name in dict.fromkeys(names):
        terminalreporter.write_line(f"run it alone: .venv/bin/pytest '{name}'")
