"""Each mount beside its framework alone, and what they do while the database is frozen.

The rates are of `/health` and of a route of the framework with as many bytes, on one server, in
turn. Then PostgreSQL is stopped by SIGSTOP while a crowd asks for health: how long until the first
answer that says so, and how long the rest of the service takes meanwhile; beside a check of the
database in the request.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial

import psutil
import psycopg2
import requests
from sqlalchemy.engine import URL

from benchmarks.health import THREADS, checked_database
from benchmarks.measure import gunicorn, need, rounds, server, table

APPS = "benchmarks.mount_apps"
CROWD = 50
"""Who ask for health while the database is frozen: more than the threads of any server here."""
PATIENCE = 20.0
"""Seconds after which somebody who asks gives up, and the database goes on."""

Serve = AbstractContextManager[str]


def servers(environ: Mapping[str, str]) -> dict[str, Serve]:
    uvicorn = ("-m", "uvicorn", f"{APPS}:fastapi", "--factory", "--host", "127.0.0.1")
    quiet = ("--port", "{port}", "--log-level", "error", "--no-access-log")
    aiohttp = ("-m", "aiohttp.web", "-H", "127.0.0.1", "-P", "{port}", f"{APPS}:aiohttp")
    wsgi = partial(gunicorn, environ=environ)
    return {
        "WSGI, gevent": wsgi(f"{APPS}:wsgi()"),
        "Flask, gevent": wsgi(f"{APPS}:flask()"),
        "Flask, gthread": gunicorn(f"{APPS}:flask()", environ, *THREADS),
        "Django, gthread": gunicorn(f"{APPS}:django()", environ, *THREADS),
        "FastAPI, uvicorn": server((*uvicorn, *quiet), environ, "/health"),
        "aiohttp": server(aiohttp, environ, "/health"),
    }


def main() -> None:
    need("wrk", "wrk")
    with checked_database() as (url, environ):
        frozen = []
        for name, serving in servers(environ).items():
            with serving as address:
                bare, ours = f"{name}: the framework alone", f"{name}: healthkit"
                rates = rounds({bare: (f"{address}/bare",), ours: (f"{address}/health",)})
                table(f"GET /health, wrk -c16: {name}", rates, bare)
                for path in ("/health", "/checked"):
                    frozen.append((name, path, *freeze(url, address, path)))
    print("\nThe database is stopped by SIGSTOP, and fifty ask for health at once\n")
    print("| server           | asked    | first answer that says so | longest of the rest |")
    print("| ---------------- | -------- | ------------------------: | ------------------: |")
    for name, path, first, longest in frozen:
        print(f"| {name:16} | {path:8} | {_seconds(first):>25} | {_seconds(longest):>19} |")


def freeze(url: URL, address: str, path: str) -> tuple[float | None, float | None]:
    """The seconds from the stop until somebody is told that the service is not well, and the
    longest that a request took which needs no database; None for longer than PATIENCE."""
    requests.get(address + path, timeout=PATIENCE)  # with connections that were used before
    told: list[float] = []
    with stopped(url):
        began, over = time.monotonic(), threading.Event()
        crowd = [
            threading.Thread(target=_ask, args=(address + path, began, told, over))
            for _ in range(CROWD)
        ]
        for one in crowd:
            one.start()
        longest = _rest(address, began, told)
        over.set()
    for one in crowd:
        one.join()
    return min(told, default=None), longest


def _ask(address: str, began: float, told: list[float], over: threading.Event) -> None:
    while not over.is_set() and time.monotonic() - began < PATIENCE:
        try:
            answer = requests.get(address, timeout=PATIENCE)
        except requests.RequestException:
            continue
        if answer.status_code >= 500 and not over.is_set():
            told.append(time.monotonic() - began)
        time.sleep(0.2)


def _rest(address: str, began: float, told: list[float]) -> float | None:
    """The longest of requests that need no database, until somebody was told or all gave up."""
    longest = 0.0
    while time.monotonic() - began < PATIENCE and not told:
        asked = time.monotonic()
        try:
            requests.get(f"{address}/hello", timeout=PATIENCE - (asked - began) + 0.1)
        except requests.RequestException:
            return None
        longest = max(longest, time.monotonic() - asked)
        time.sleep(0.1)
    return longest


@contextmanager
def stopped(url: URL) -> Iterator[None]:
    """All processes of the server are stopped, and go on afterwards."""
    connection = psycopg2.connect(
        host=url.query["host"], user=url.username, dbname=url.database, port=url.query["port"]
    )
    postmaster = psutil.Process(connection.info.backend_pid).parent()
    connection.close()
    assert postmaster is not None
    every = [postmaster, *postmaster.children(recursive=True)]
    _signal(every, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(every, signal.SIGCONT)


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for one in processes:
        with suppress(psutil.NoSuchProcess):  # a connection has ended meanwhile
            one.send_signal(number)


def _seconds(found: float | None) -> str:
    return f"more than {PATIENCE:.0f} s" if found is None else f"{found:.2f} s"
