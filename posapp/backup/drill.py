"""The drill: restores a backup on a server of its own, starts the POS on it, and measures."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError

from sqlalchemy.engine import URL

from healthkit import Clock
from posapp.backup import room
from posapp.backup.context import BackupContext
from posapp.backup.errors import BackupError
from posapp.backup.handover import Handover
from posapp.backup.model.backup import Backup
from posapp.backup.model.properties import DatabaseProperties
from posapp.backup.postgres import databases
from posapp.backup.postgres.client import (
    Connection,
    PostgresClient,
    first_number,
    major,
    query,
)
from posapp.backup.postgres.properties import foreseen
from posapp.backup.postgres.snapshot import count_rows
from posapp.backup.restore import replace_database
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.storage.lookup import source_of, verify_checksum
from posapp.database.schema import DatabaseError
from posapp.runtime import postgres, processes
from posapp.runtime.child import base_environment, child_command
from posapp.runtime.postgres import EmbeddedPostgresError
from posapp.runtime.scratch import scratch_folder

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
"""Checks of the database alone: nothing else of the real machine exists here."""


@dataclass
class DrillResult:
    """The measurements of a drill. `seconds` has the time of each step."""

    backup: Backup
    began: datetime
    clock: Clock
    seconds: dict[str, float] = field(default_factory=dict)
    rows: int = 0
    tables: int = 0
    foreign_keys: int = 0
    health: str = ""
    issue: str | None = None
    unproven: str = ""
    """What differs from the server that is live, in words."""
    data_loss: str = ""
    """The rows written to the live database since the backup, in words."""

    @property
    def succeeded(self) -> bool:
        return self.issue is None

    @property
    def took(self) -> timedelta:
        return timedelta(seconds=sum(self.seconds.values()))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = self.clock.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.clock.monotonic() - began


def drill(backup: Backup, context: BackupContext) -> DrillResult:
    """Restores a backup on a server of its own and starts the POS on it.

    Whatever goes wrong is a finding of the result; everything is stopped and removed.
    """
    result = DrillResult(backup, context.clock.now(), context.clock)
    try:
        with (
            scratch_folder("posapp-drill-") as folder,
            source_of(backup, context.settings).local_copy(backup, folder) as file,
        ):
            with result.step("verify the file"):
                verify_checksum(backup, file)
            _restore(file, folder, result, context)
    except (BackupError, EmbeddedPostgresError, DatabaseError, OSError) as error:
        result.issue = str(error)
    return result


def _restore(file: BinaryIO, folder: Path, result: DrillResult, context: BackupContext) -> None:
    backup, log = result.backup, context.log
    asked = context.settings.backup_disk_reserve
    if backup.manifest is not None:
        size = backup.manifest.database_bytes
        room.require([room.Need(folder, 2 * size, "the database and its WAL")], asked)
    log.write(f"Drill: restoring {backup.name} on a server of its own")
    began = context.clock.monotonic()
    with postgres.use_embedded_database(folder / "server") as url:
        result.seconds["start a server"] = context.clock.monotonic() - began
        client = PostgresClient(url)
        with client.connect() as connection:
            _create_roles(connection, backup)
            like, unproven = _properties(connection, backup)
            result.unproven = "; ".join([*_unproven(connection, backup), *unproven])
        scratch = context.scratch(client, FolderStorage(folder / "backups"))
        with result.step("restore and compare the rows"):
            result.rows = _replace(backup, file, scratch, like)
        with result.step("validate the foreign keys"):
            result.foreign_keys = validate_foreign_keys(client)
        result.tables = len(count_rows(client))
        with result.step("start the POS and ask its health"):
            result.health = _check_health(url, folder, context.clock)


def _replace(
    backup: Backup, file: BinaryIO, scratch: BackupContext, like: DatabaseProperties | None
) -> int:
    """Restores as a restore does, in the place of an empty database. Returns the rows."""
    live, now = scratch.client.database, scratch.clock.now()
    handover = Handover(scratch, databases.sibling_name(live, "restore", now), backup, None)
    old_database = databases.sibling_name(live, "before", now)
    return replace_database(backup, file, scratch, old_database, like, handover)


def _properties(
    connection: Connection, backup: Backup
) -> tuple[DatabaseProperties | None, list[str]]:
    """Returns the properties of the database as far as this server can have them, and which of
    them it leaves unproven."""
    like = backup.manifest.properties if backup.manifest else None
    if like is None:
        return None, []
    unmade, losses = foreseen(connection, like)
    if unmade:
        usual = {"provider": "c", "collate": "C", "ctype": "C", "locale": None, "icu_rules": None}
        like = like.model_copy(update=usual)
    return like, [*unmade, *losses]


def _unproven(connection: Connection, backup: Backup) -> list[str]:
    """Returns what a restore on the live server may meet that this one cannot show."""
    if backup.manifest is None:
        return []
    here, theirs = major(connection.server_version), first_number(backup.manifest.server_version)
    if here == theirs:
        return []
    return [f"restored on PostgreSQL {here}; the live server is {theirs}"]


def _create_roles(connection: Connection, backup: Backup) -> None:
    """Creates the roles that the backup names; without passwords, and on this server alone."""
    if backup.manifest:
        databases.create_roles(connection, databases.missing_roles(connection, backup.manifest))
        unmet = databases.unmet_requirements(connection, backup.manifest)
        if unmet:
            raise BackupError("; ".join(unmet))


def validate_foreign_keys(client: PostgresClient) -> int:
    """Validates every foreign key again, row by row. Returns how many there are.

    Raises BackupError with the first row that refers to nothing.
    """
    with client.connect() as connection:
        keys = query(
            connection,
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY 1, 2",
        )
        query(connection, "BEGIN")
        for table, name, definition in keys:
            query(
                connection,
                f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name}"
                f" {definition.removesuffix(' NOT VALID')}",
            )
        query(connection, "ROLLBACK")
    return len(keys)


def _check_health(url: URL, folder: Path, clock: Clock) -> str:
    """Starts the POS and waits until it is healthy. Returns the message of its health.

    Raises BackupError.
    """
    (folder / "healthkit.toml").write_text(_CHECKS.format(folder=folder))
    port = _free_port()
    environ = {
        **base_environment(os.environ),
        "DATABASE_URL": url.render_as_string(hide_password=False),
        "ENVIRONMENT": "development",
        "HEALTHKIT_CONFIG": str(folder / "healthkit.toml"),
        "POS_DATA_DIR": str(folder),
        "PORT": str(port),
        "BIND": processes.HOST,
        "WEB_CONCURRENCY": "1",
        "GRACEFUL_TIMEOUT": "2",
    }
    log = folder / "server.log"
    with log.open("wb") as output:
        program = child_command(processes.gunicorn_command(), signal.SIGTERM)
        process = subprocess.Popen(program, env=environ, stdout=output, stderr=output)
        try:
            return _wait(process, f"http://{processes.HOST}:{port}{HEALTH}", log, clock)
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path, clock: Clock) -> str:
    until, state = clock.monotonic() + _START_LIMIT, "no answer"
    while clock.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  our own
                body = json.load(answer)
            if body["success"] and body["data"]["database"] == "connected":
                return str(body["message"])
            state = str(body["message"])
        except HTTPError as error:
            state = f"{error.code} {error.reason}"
        except OSError as error:
            state = str(error)
        clock.sleep(0.1)
    tail = log.read_text(errors="replace").splitlines()[-1:]
    raise BackupError(f"the POS did not become healthy on it: {state} {' '.join(tail)}".strip())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((processes.HOST, 0))
        port: int = probe.getsockname()[1]
        return port
