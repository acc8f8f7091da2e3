"""The drill: a backup becomes a running POS on a server of its own, and is measured on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from psycopg2 import sql
from sqlalchemy.engine import URL

from posapp.backup.compression import Identity
from posapp.backup.errors import BackupError
from posapp.backup.journal import Journal
from posapp.backup.postgres import databases
from posapp.backup.postgres.client import Access, query
from posapp.backup.postgres.snapshot import count_rows
from posapp.backup.restore import bring_up_to_date, fill, revisions
from posapp.backup.storage.folder import Entry
from posapp.database.schema import DatabaseError
from posapp.runtime import postgres, processes
from posapp.runtime.child import child_command
from posapp.runtime.postgres import EmbeddedPostgresError

HEALTH = "/api/v1/health"
_START_LIMIT = 60.0
"""Seconds that the application has to become healthy."""
_CHECKS = """
[service]
name = "drill"
[store]
url = "sqlite:///{folder}/healthkit.db"
[checks.database]
type = "database"
url = "${{DATABASE_URL}}"
interval = "1s"
timeout = "1s"
[checks.migrations]
type = "pos-migrations"
url = "${{DATABASE_URL}}"
interval = "1s"
timeout = "1s"
"""
"""The health of the database alone: nothing else of the real machine is there."""


@dataclass
class Findings:
    """What a drill has measured. `seconds` has the time of each step."""

    entry: Entry
    began: datetime
    seconds: dict[str, float] = field(default_factory=dict)
    rows: int = 0
    tables: int = 0
    foreign_keys: int = 0
    health: str = ""
    issue: str | None = None
    lost: str = ""
    """What was written since the backup."""

    @property
    def succeeded(self) -> bool:
        return self.issue is None

    @property
    def took(self) -> timedelta:
        return timedelta(seconds=sum(self.seconds.values()))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - began


def drill(
    entry: Entry,
    fetch: Callable[[Path], Any],
    prove: Callable[[Path], None],
    identity: Identity,
    journal: Journal,
) -> Findings:
    """Restores a backup on a server of its own and starts the POS on it.

    `fetch` gives the file as a context manager, from the folder that it is handed; `prove` raises
    where it is not whole. Whatever goes wrong is a finding; everything is stopped and removed.
    """
    found = Findings(entry, journal.clock())
    folder = Path(tempfile.mkdtemp(prefix="posapp-drill-"))
    try:
        with fetch(folder) as path:
            with found.step("verify the file"):
                prove(path)
            _restore(path, folder, identity, found, journal)
    except (BackupError, EmbeddedPostgresError, DatabaseError, OSError) as error:
        found.issue = str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _restore(
    path: Path, folder: Path, identity: Identity, found: Findings, journal: Journal
) -> None:
    journal.line(f"Drill: restoring {found.entry.name} on a server of its own")
    begun = time.monotonic()
    with postgres.use_embedded_database(folder / "server") as url:
        found.seconds["start a server"] = time.monotonic() - begun
        access = Access(url)
        with access.connect() as session:
            _provide(session, found.entry)
        with found.step("restore and compare the rows"):
            found.rows = fill(access, path, found.entry, identity, journal.progress)
        with found.step("validate the foreign keys"):
            found.foreign_keys = validate_foreign_keys(access)
        if revisions(access)[0] is None:
            raise BackupError("there is no POS in it: the table alembic_version is missing")
        with found.step("migrate to this version"):
            bring_up_to_date(access)
        found.tables = len(count_rows(access))
        with found.step("start the POS and ask its health"):
            found.health = _ask(url, folder)


def _provide(session: databases.Session, entry: Entry) -> None:
    """The roles that the backup speaks of; without passwords, and for this server alone."""
    there = {name for (name,) in query(session, "SELECT rolname FROM pg_roles")}
    for role in entry.manifest.roles if entry.manifest else ():
        if role not in there:
            query(session, sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    if entry.manifest and (obstacles := databases.foreign(session, entry.manifest)):
        raise BackupError("; ".join(obstacles))


def validate_foreign_keys(access: Access) -> int:
    """Has PostgreSQL prove every foreign key once more, row by row; how many there are.

    Raises BackupError with the first row that refers to nothing.
    """
    with access.connect() as session:
        keys = query(
            session,
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY 1, 2",
        )
        query(session, "BEGIN")
        for table, name, definition in keys:
            query(
                session,
                f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name}"
                f" {definition.removesuffix(' NOT VALID')}",
            )
        query(session, "ROLLBACK")
    return len(keys)


def _ask(url: URL, folder: Path) -> str:
    """Starts the POS and waits until it is healthy; what its health says. Raises BackupError."""
    (folder / "healthkit.toml").write_text(_CHECKS.format(folder=folder))
    port = _free_port()
    environ = {
        **os.environ,
        "DATABASE_URL": url.render_as_string(hide_password=False),
        "ENVIRONMENT": "development",
        "HEALTHKIT_CONFIG": str(folder / "healthkit.toml"),
        "POS_DATA_DIR": str(folder),
        "PORT": str(port),
        "BIND": processes.HOST,
        "WEB_CONCURRENCY": "1",
        "GRACEFUL_TIMEOUT": "2",
        "SENTRY_DSN": "",
    }
    environ.pop("JWT_SECRET", None)
    log = folder / "server.log"
    with log.open("wb") as output:
        program = child_command(processes.gunicorn_command(), signal.SIGTERM)
        process = subprocess.Popen(program, env=environ, stdout=output, stderr=output)
        try:
            return _wait(process, f"http://{processes.HOST}:{port}{HEALTH}", log)
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> str:
    until, said = time.monotonic() + _START_LIMIT, "no answer"
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  our own
                body = json.load(answer)
            if body["success"] and body["data"]["database"] == "connected":
                return str(body["message"])
            said = str(body["message"])
        except HTTPError as error:
            said = f"{error.code} {error.reason}"
        except OSError as error:
            said = str(error)
        time.sleep(0.1)
    tail = log.read_text(errors="replace").splitlines()[-1:]
    raise BackupError(f"the POS did not become healthy on it: {said} {' '.join(tail)}".strip())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((processes.HOST, 0))
        port: int = probe.getsockname()[1]
        return port
