"""Servers, load and tables for the benchmarks."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.error import HTTPError

from sqlalchemy.engine import URL

ROOT = Path(__file__).resolve().parent.parent


class Missing(Exception):
    """A tool that a benchmark needs is not on this machine."""


def need(tool: str, package: str) -> str:
    path = shutil.which(tool)
    if path is None:
        raise Missing(f"{tool} is not installed; on Debian: apt-get install {package}")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def gunicorn(
    application: str, environ: Mapping[str, str], *options: str, path: str = "/health"
) -> Iterator[str]:
    """An application under gunicorn with one gevent worker; its log goes nowhere. Its address."""
    command = (
        *("-m", "gunicorn", application, "--bind", "127.0.0.1:{port}"),
        *("--worker-class", "gevent", "--workers", "1", "--log-level", "error"),
        *("--no-control-socket", "--pythonpath", str(ROOT), *options),
    )
    with server(command, environ, path) as address:
        yield address


@contextmanager
def server(command: Sequence[str], environ: Mapping[str, str], path: str) -> Iterator[str]:
    """A server as Python's arguments start it, `{port}` among them, that answers at `path`; its
    address."""
    port = free_port()
    told = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
    arguments = [sys.executable, *(one.format(port=port) for one in command)]
    process = subprocess.Popen(arguments, env=told, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address + path, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the server of {address} has ended")
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except HTTPError:
            return  # it answers
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the server of {address} did not come up")


def wrk(
    address: str,
    seconds: float = 3,
    connections: int = 16,
    script: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> float:
    """Requests per second; every answer must be a good one."""
    command = [need("wrk", "wrk"), "-t1", f"-c{connections}", f"-d{seconds:g}s"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        if script:
            file.write(script)
            file.flush()
            command += ["-s", file.name]
        output = subprocess.run(
            [*command, address],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, **(environ or {})},
        ).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if bad:
        raise RuntimeError(f"{address}: {bad[1]} bad answers\n{output}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert found
    return float(found[1])


def rounds(
    measures: Mapping[str, Sequence[str]], times: int = 3, **options: float
) -> dict[str, float]:
    """The median of several rounds for each name; each round measures all of them in turn, so
    that what else the machine does hits them alike."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(times):
        for name, (address,) in measures.items():
            found[name].append(wrk(address, **options))  # type: ignore[arg-type]
    return {name: median(values) for name, values in found.items()}


def table(
    title: str, rates: Mapping[str, float], bases: str | Sequence[str], unit: str = "req/s"
) -> None:
    """Rates as rows, each as a share of each of `bases`."""
    bases = (bases,) if isinstance(bases, str) else bases
    print(f"\n{title}\n")
    width = max(map(len, rates))
    print(f"| {'':{width}} | {unit:>10} |" + "".join(f" × {base} |" for base in bases))
    print(f"| {'-' * width} | {'-' * 9}: |" + "".join(f" {'-' * (len(b) + 1)}: |" for b in bases))
    for name, rate in rates.items():
        shares = "".join(f" {rate / rates[base]:{len(base) + 2}.2f} |" for base in bases)
        print(f"| {name:{width}} | {rate:10,.0f} |{shares}")


@contextmanager
def database() -> Iterator[URL]:
    """A migrated and seeded database on an embedded PostgreSQL of its own."""
    from healthkit import SYSTEM_CLOCK
    from posapp.database.engine import open_session
    from posapp.database.schema import upgrade
    from posapp.features.seed import seed_demo_data
    from posapp.runtime.postgres import use_embedded_database
    from posapp.settings import Settings

    with tempfile.TemporaryDirectory() as folder, use_embedded_database(Path(folder)) as url:
        upgrade(url)
        with open_session(url, Settings()) as session:
            seed_demo_data(session, SYSTEM_CLOCK.now())
        yield url
