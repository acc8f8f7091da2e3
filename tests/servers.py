"""The product as it runs: `posapp demo` and the production server, started and stopped."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
import requests
from sqlalchemy.engine import URL

from healthkit import SYSTEM_CLOCK
from healthkit.testing import wait_until
from posapp.database.engine import open_session
from posapp.database.schema import upgrade
from posapp.features.seed import DEMO_LOGINS, seed_demo_data
from posapp.runtime import processes
from posapp.runtime.postgres import use_embedded_database
from posapp.settings import Settings
from tests.users import OURS, User

UNSYNCED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""A PostgreSQL whose data need not outlive a crash of the machine."""

PLANTED = ("Rahasia-4831-kata", "zq-tanda-masuk-9917", "4111111111111111")
"""Secrets that tests send; no log of any server may show one of them."""


def show_no_secret(log: Path) -> None:
    """Every server of the tests is asked when it stops."""
    text = log.read_text(errors="replace")
    for secret in (*PLANTED, *(login.password for login in DEMO_LOGINS), "eyJhbGciOi"):
        assert secret not in text, f"{log.name} shows {secret}"


@dataclass
class Pos:
    """A `posapp demo` that is ready."""

    url: str
    port: int
    data_dir: Path
    process: subprocess.Popen[str]
    greeting: str
    family: list[psutil.Process]
    """The process, its parts and their workers, as they were when it was ready."""

    @property
    def pid(self) -> int:
        return self.process.pid

    def named(self, name: str) -> psutil.Process:
        """The first of the family with `name` in its command line."""
        return next(p for p in self.family if name in _command_line(p))

    def left(self, seconds: float = 15) -> list[psutil.Process]:
        """Who of the family still lives after so many seconds: [] as soon as nobody does."""
        return psutil.wait_procs(self.family, timeout=seconds)[1]

    def wait(self) -> tuple[int, str]:
        """Exit code and standard error, when it has ended."""
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors

    def stop(self) -> int:
        """Stops it as an operator does; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.wait()[0]
        for log in (self.data_dir / "log").glob("*.log"):
            show_no_secret(log)
        return code


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


StartPos = Callable[..., Pos]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    return _free_port()


def _start_pos(data_dir: Path, user: User, **environ: str) -> Pos:
    port = _free_port()
    told = {"PORT": str(port), "POS_DATA_DIR": str(data_dir), **environ}
    process = user.start("-m", "posapp", "demo", environ=told, start_new_session=True)
    assert process.stdout is not None
    lines = _paragraph(process.stdout)
    if not lines or not lines[0].startswith("Ready: "):
        _, errors = process.communicate(timeout=30)
        raise AssertionError(f"posapp demo is not ready: {''.join(lines)}{errors}")
    lines += _paragraph(process.stdout)
    parent = psutil.Process(process.pid)
    family = [parent, *parent.children(recursive=True)]
    url = lines[0].removeprefix("Ready: ").strip()
    return Pos(url, port, data_dir, process, "".join(lines), family)


def _paragraph(output: IO[str]) -> list[str]:
    """The lines up to an empty one, or to the end."""
    return list(itertools.takewhile(lambda line: line.strip(), output))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped server's data with the demo in it, to copy: to make it takes most of a start."""
    folder = tmp_path_factory.mktemp("prepared")
    with use_embedded_database(folder, UNSYNCED) as url:
        upgrade(url)
        with open_session(url, Settings()) as session:
            seed_demo_data(session, SYSTEM_CLOCK.now())
    return folder / "postgres"


@pytest.fixture
def start_pos(prepared: Path) -> Iterator[StartPos]:
    """`start_pos(data_dir, user, NAME="value")` starts one of one's own, for who kills things. It
    finds data that were made before, unless it is to begin with nothing: `fresh=True`; and has one
    worker, for each loads the whole application."""
    started: list[Pos] = []

    def start(data_dir: Path, user: User, fresh: bool = False, **environ: str) -> Pos:
        if not fresh and not (data_dir / "postgres").exists():
            shutil.copytree(prepared, data_dir / "postgres")
            (data_dir / "postgres").chmod(0o700)
        started.append(_start_pos(data_dir, user, **{"WEB_CONCURRENCY": "1", **environ}))
        return started[-1]

    yield start
    for pos in started:
        with suppress(ProcessLookupError):
            pos.process.kill()
        pos.process.communicate()
        for process in pos.left(seconds=5):
            process.kill()


@pytest.fixture(scope="session")
def running_pos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pos]:
    """The POS, one for the whole run: leave it running, and what the demo wrote as it is."""
    # With what means something in a list of folders, in an address and in a pattern.
    data_dir = tmp_path_factory.mktemp("pos") / "a, b?c%d#e[f]"
    user = User(os.geteuid(), os.getegid(), sys.executable, data_dir)
    pos = _start_pos(data_dir, user)
    yield pos
    pos.stop()
    shutil.rmtree(data_dir, ignore_errors=True)


@dataclass
class Served:
    """The production server on a database of the test's, with its log in a file."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    environ: Mapping[str, str]

    def lines(self) -> list[dict[str, Any]]:
        """The log so far; every line must be whole, and JSON."""
        text = self.log.read_text()
        return [json.loads(line) for line in text.splitlines()] if text.endswith("\n") else []

    def line(self, **fields: Any) -> dict[str, Any]:
        """The first line with these fields, which is waited for."""

        def found() -> dict[str, Any] | None:
            return next((one for one in self.lines() if fields.items() <= one.items()), None)

        return wait_until(found)  # type: ignore[return-value]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)
        show_no_secret(self.log)


Serve = Callable[..., Served]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """`serve(database, WEB_CONCURRENCY="3")`: gunicorn as in production, ready when it returns;
    `config` is a file in place of deploy/gunicorn.conf.py."""
    started: list[Served] = []

    def serve(database: URL, config: Path | None = None, **environ: str) -> Served:
        folder = tmp_path_factory.mktemp("served")
        told = {k: v for k, v in os.environ.items() if k not in OURS} | {
            "POS_DATA_DIR": str(folder)
        }
        settings = Settings.from_env(told)
        port = str(_free_port())
        told = processes.child_environment(told, settings, database)
        told |= {"HEALTHKIT_STORE": f"sqlite:///{folder}/healthkit.db", "GRACEFUL_TIMEOUT": "2"}
        told |= {"PORT": port, "WEB_CONCURRENCY": "1", **environ}
        log = folder / "server.log"
        command = processes.gunicorn_command()
        if config is not None:
            command[-1] = str(config)
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=told, stdout=output, stderr=output)
        served = Served(f"http://127.0.0.1:{port}", process, log, told)
        started.append(served)
        wait_until(lambda: _healthy(served), 60)
        return served

    yield serve
    for served in started:
        served.stop()


def _healthy(served: Served) -> bool:
    if served.process.poll() is not None:
        raise AssertionError(f"the server has ended:\n{served.log.read_text()}")
    try:
        return requests.get(f"{served.url}/health", timeout=5).status_code == 200
    except requests.RequestException:
        return False
