"""The whole POS on this machine: PostgreSQL, the schema, the demo's menu and the server."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import click
from sqlalchemy.engine import URL

from posapp.runtime.locks import FileLock
from posapp.runtime.postgres import DataDirectory, use_server
from posapp.runtime.processes import (
    HOST,
    StartError,
    child_environment,
    gunicorn_command,
    refuse_in_production,
    validate_health_config,
)
from posapp.runtime.supervisor import Program, ProgramExited, ShutdownRequested, Supervisor
from posapp.settings import Settings

READY_LIMIT = 60.0
"""Seconds from the start of the parts until the POS has to be ready."""

_STOP_REQUESTS = "3"
"""Seconds that requests have to end; a browser that listens for events would never."""

Prepare = Callable[[URL, Settings], None]
"""Brings a database to this version's schema, with the demo's data in it."""


def run_demo(settings: Settings, environ: Mapping[str, str], prepare: Prepare, logins: str) -> None:
    """Runs the POS until Ctrl-C or SIGTERM; `logins` is printed when it is ready.

    Raises StartError, EmbeddedPostgresError or DatabaseError when it cannot start, and
    ProgramExited when one of its programs has ended; by then all of them have.
    """
    _refuse(settings)
    validate_health_config(settings, environ)
    directory = DataDirectory(settings.pos_data_dir.resolve())
    with (
        _single_instance(directory),
        suppress(ShutdownRequested),
        Supervisor(directory.log.parent) as parts,
        use_server(directory.root) as database,
    ):
        try:
            parts.watch(database)
            prepare(database.url, settings)
            _start(parts, database.url, settings, environ)
            click.echo(f"Ready: http://{HOST}:{settings.port}\n\n{logins}\n")
            parts.wait()
        finally:
            parts.stop()
    click.echo("Stopped.")


def _start(parts: Supervisor, url: URL, settings: Settings, environ: Mapping[str, str]) -> None:
    child_env = child_environment(environ, settings, url)
    child_env |= {"PORT": str(settings.port), "BIND": HOST, "GRACEFUL_TIMEOUT": _STOP_REQUESTS}
    watch_env = {name: value for name, value in child_env.items() if name != "JWT_SECRET"}
    parts.start(Program("watch", [sys.executable, "-m", "healthkit", "watch"]), watch_env)
    parts.start(Program("gunicorn", gunicorn_command()), child_env)
    _wait_until_ready(parts, settings.port)


def _refuse(settings: Settings) -> None:
    refuse_in_production(settings)
    if settings.database is not None:
        raise StartError(
            "the demo runs on a database of its own: unset DATABASE_URL and DB_HOST,"
            " or start the server alone with: posapp serve"
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, settings.port))
        except OSError as error:
            raise StartError(
                f"port {settings.port}: {(error.strerror or str(error)).lower()};"
                f" choose another with: PORT={settings.port % 65535 + 1} make run"
            ) from None


@contextmanager
def _single_instance(directory: DataDirectory) -> Iterator[None]:
    """Raises StartError while another demo runs on the same folder."""
    directory.make_folders()
    path = directory.run / "demo.lock"
    lock = FileLock(path)
    try:
        if not lock.try_acquire():
            raise StartError(
                f"{directory.root}: in use by another demo, process {path.read_text().strip()};"
                " stop it, or set POS_DATA_DIR to another folder"
            )
        path.write_text(f"{os.getpid()}\n")
        yield
    finally:
        lock.close()


def _wait_until_ready(parts: Supervisor, port: int) -> None:
    until = time.monotonic() + READY_LIMIT
    while (readiness := _readiness(port)) != "200":
        if time.monotonic() > until:
            raise ProgramExited(
                f"the POS is not ready after {READY_LIMIT:g} s (/readyz: {readiness})",
                parts.logs / "gunicorn.log",
            )
        parts.wait(0.1)


def _readiness(port: int) -> str:
    """The status of `GET /readyz`, or why there was no answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
