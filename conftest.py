"""How the whole suite runs: over several workers, what must be alone alone, and with a line for
each failure that says how to run that test by itself."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SHARED_SERVER = "running_pos"
"""The fixture that costs most; who uses it goes to one worker."""
LONG = {"slow", "fault", "browser"}
_LOCKS = pytest.StashKey["Turnstile"]()
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


def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[_LOCKS] = Turnstile(Path(worker["turnstile"]))
    elif config.getoption("numprocesses", None):
        config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="pytest-turnstile-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Is called for each worker of pytest-xdist, also for one that replaces a crashed one."""
    node.workerinput["turnstile"] = str(node.config.stash[_FOLDER])  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    if _FOLDER in config.stash:
        shutil.rmtree(config.stash[_FOLDER])


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around pytest-timeout: the wait does not count
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    if _LOCKS not in item.config.stash:
        return (yield)
    with item.config.stash[_LOCKS].passed(alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Names what goes together to a worker, before pytest-xdist asks: tests that share more than a
    session's fixtures. A long one that does not is a group of its own."""
    shared = any(
        definitions[-1].scope in ("module", "package", "class")
        for definitions in item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]
    )
    if _uses_shared_server(item):
        item.add_marker(pytest.mark.xdist_group(SHARED_SERVER))
    elif shared or not _is_long(item):
        item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Has what is long begin first, so that it is not left over for one worker."""
    if not hasattr(config, "workerinput"):
        return
    ranks: dict[str, int] = {}
    for item in items:
        ranks[_group(item)] = min(ranks.get(_group(item), _rank(item)), _rank(item))
    items.sort(key=lambda item: ranks[_group(item)])


def _group(item: pytest.Item) -> str:
    group = item.get_closest_marker("xdist_group")
    return group.args[0] if group else item.nodeid


def _rank(item: pytest.Item) -> int:
    return 0 if _uses_shared_server(item) else 1 if _is_long(item) else 2


def _uses_shared_server(item: pytest.Item) -> bool:
    return SHARED_SERVER in item.fixturenames  # type: ignore[attr-defined]


def _is_long(item: pytest.Item) -> bool:
    return any(mark.name in LONG for mark in item.iter_markers())


# What is said of it


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test's name without the group that pytest-xdist has put behind it."""
    name, at, _ = report.nodeid.rpartition("@")
    if hasattr(report, "node") and at and not report.nodeid.endswith("]"):
        report.nodeid = name


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    failed = [*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")]
    for name in dict.fromkeys(report.nodeid for report in failed):
        terminalreporter.write_line(f"run it alone: .venv/bin/pytest '{name}'")
