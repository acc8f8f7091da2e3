"""The whole POS on this machine: PostgreSQL, the schema, the demo's menu and the server."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from sqlalchemy.engine import URL

from healthkit._config.loader import load
from healthkit._plugins import PluginManager
from posapp.db import make_engine, upgrade
from posapp.embedded import Layout, Lock, Server, server
from posapp.secret import development_secret
from posapp.seed import DEMO_LOGINS, seed
from posapp.settings import Settings
from posapp.supervisor import Part, PartEnded, Stop, Supervisor

ROOT = Path(__file__).resolve().parent.parent
"""The checkout, where `wsgi.py` and `deploy/` are."""

HOST = "127.0.0.1"
READY_LIMIT = 60.0
"""Seconds from the start of the parts until the POS has to be ready."""

_STOP_REQUESTS = "3"
"""Seconds that requests have to end; a browser that listens for events would never."""


class StartError(Exception):
    """Why the POS does not start, in one line that a user can act on."""


def gunicorn() -> list[str]:
    """The production server; the rest is in the environment, see deploy/gunicorn.conf.py."""
    config = ROOT / "deploy" / "gunicorn.conf.py"
    return [
        *(sys.executable, "-m", "gunicorn"),
        *("--config", str(config), "--pythonpath", str(ROOT)),
    ]


def environment(environ: Mapping[str, str], settings: Settings, url: URL) -> dict[str, str]:
    """What the parts are told: `environ`, and in it what was left open.

    Raises StartError when the signing key cannot be kept.
    """
    told = {**environ, "DATABASE_URL": url.render_as_string(hide_password=False)}
    data = settings.pos_data_dir.resolve()
    if settings.jwt_secret is None:
        try:
            told["JWT_SECRET"] = development_secret(data)
        except OSError as error:
            raise StartError(
                f"JWT_SECRET: not set, and none can be kept in {data}: {error.strerror}"
            ) from None
    told["HEALTHKIT_CONFIG"] = str(health_config(settings))
    if settings.database is None:
        told["HEALTHKIT_STORE"] = environ.get("HEALTHKIT_STORE") or f"sqlite:///{data}/healthkit.db"
    return told


def check_health_config(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raises healthkit's ConfigError for mistakes in healthkit.toml: before anything is started,
    and once rather than in each worker."""
    told = {**environ, "DATABASE_URL": environ.get("DATABASE_URL") or "postgresql:///embedded"}
    load(health_config(settings), PluginManager(), told)


def health_config(settings: Settings) -> Path:
    """The one that the environment names, or is here; else the checkout's."""
    given = settings.healthkit_config
    fallback = ROOT / "healthkit.toml"
    return fallback if given == Path("healthkit.toml") and not given.exists() else given.resolve()


def run(settings: Settings, environ: Mapping[str, str]) -> None:
    """Runs the POS until Ctrl-C or SIGTERM.

    Raises StartError, EmbeddedError or DatabaseError when it cannot start, and PartEnded when one
    of its parts has ended; by then all of them have.
    """
    _refuse(settings)
    check_health_config(settings, environ)
    layout = Layout(settings.pos_data_dir.resolve())
    with (
        _only_one(layout),
        suppress(Stop),
        Supervisor(layout.log.parent) as parts,
        server(layout.root) as database,
    ):
        try:
            _start(parts, database, settings, environ)
            parts.wait()
        finally:
            parts.stop()
    click.echo("Stopped.")


def _start(
    parts: Supervisor, database: Server, settings: Settings, environ: Mapping[str, str]
) -> None:
    parts.watch(database)
    upgrade(database.url)
    engine = make_engine(database.url, settings)
    try:
        seed(engine)
    finally:
        engine.dispose()
    told = environment(environ, settings, database.url)
    told |= {"PORT": str(settings.port), "BIND": HOST, "GRACEFUL_TIMEOUT": _STOP_REQUESTS}
    for part in (
        Part("watch", [sys.executable, "-m", "healthkit", "watch"]),
        Part("gunicorn", gunicorn()),
    ):
        parts.start(part, told)
    _wait_until_ready(parts, settings.port)
    click.echo(_welcome(settings.port))


def refuse_in_production(settings: Settings) -> None:
    """Raises StartError."""
    if settings.production:
        raise StartError("the demo has passwords that all know: not with ENVIRONMENT=production")


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
def _only_one(layout: Layout) -> Iterator[None]:
    """Raises StartError while another demo runs on the same folder."""
    layout.make_folders()
    path = layout.run / "demo.lock"
    lock = Lock(path)
    try:
        if not lock.try_take():
            raise StartError(
                f"{layout.root}: in use by another demo, process {path.read_text().strip()};"
                " stop it, or set POS_DATA_DIR to another folder"
            )
        path.write_text(f"{os.getpid()}\n")
        yield
    finally:
        lock.close()


def _wait_until_ready(parts: Supervisor, port: int) -> None:
    until = time.monotonic() + READY_LIMIT
    while (said := _readiness(port)) != "200":
        if time.monotonic() > until:
            raise PartEnded(
                f"the POS is not ready after {READY_LIMIT:g} s (/readyz: {said})",
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


def _welcome(port: int) -> str:
    width = max(len(login.username) for login in DEMO_LOGINS)
    rows = [
        f"  {login.username:<{width}}  {login.password:<{width + 5}}  {login.name}"
        for login in DEMO_LOGINS
    ]
    return "\n".join(
        [f"Ready: http://{HOST}:{port}", "", "Sign in as (user name, password):", *rows, ""]
    )
