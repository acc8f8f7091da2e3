"""Helpers of the tests of backups, besides their fixtures."""

import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import boto3
import botocore.client
import botocore.exceptions
import psycopg2
from sqlalchemy.engine import URL

from healthkit.testing import wait_until
from posapp.backup.context import BackupContext, RunLog
from posapp.backup.create import create_backup
from posapp.backup.encryption import load_identity
from posapp.backup.model.backup import Backup, BackupName
from posapp.backup.model.manifest import Manifest
from posapp.backup.notifications import Notifications
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.restore import Asking, RestoreResult
from posapp.backup.restore import restore as restore_backup
from posapp.backup.signing import SigningKey
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.storage.lookup import verify as verify_backup
from posapp.backup.storage.lookup import verify_checksum
from posapp.backup.storage.s3 import S3Storage
from posapp.database.schema import HEAD
from posapp.settings import Settings
from tests.users import User

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2025, 12, 26, 5, 0, tzinfo=UTC)

SMALL = f"""
CREATE TABLE alembic_version (version_num text PRIMARY KEY);
INSERT INTO alembic_version VALUES ('{HEAD}');
CREATE TABLE installation AS SELECT substr(md5(gen_random_uuid()::text), 1, 16) AS identity;
CREATE TABLE guests (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE bills (
  id bigserial PRIMARY KEY, guest int NOT NULL REFERENCES guests, total bigint NOT NULL);
INSERT INTO guests SELECT n, 'Tamu ' || n FROM generate_series(1, 50) n;
INSERT INTO bills (guest, total) SELECT 1 + n % 50, n * 1000 FROM generate_series(1, 400) n;
"""


KEY = "5f0c2a9d7be14836a1d09c37e84b62f5"
"""BACKUP_KEY of the tests."""
SMALL_ROWS = {"alembic_version": 1, "bills": 400, "guests": 50, "installation": 1}
"""Of each table."""


def run_sql(url: URL, statement: str):
    """Runs statements in autocommit; the rows of the last one."""
    connection = psycopg2.connect(
        host=url.query["host"], user=url.username, dbname=url.database, port=url.query["port"]
    )
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def agree(question: str, word: str = "") -> None:
    """Whoever is asked says yes, or types the word."""


def address(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@dataclass
class Clock:
    """A time of day that a test moves, forward and back; waiting takes its real time."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def forward(self, **delta: float) -> None:
        self.moment += timedelta(**delta)


@dataclass
class S3:
    """A bucket of one's own, and the settings that name it."""

    name: str
    endpoint: str
    environ: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environ = {
            "BACKUP_S3_BUCKET": self.name,
            "BACKUP_S3_ENDPOINT": self.endpoint,
            "BACKUP_S3_ACCESS_KEY": "key",
            "BACKUP_S3_SECRET_KEY": "secret",
        }

    @cached_property
    def client(self):
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )

    def keys(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return sorted(item["Key"] for item in found)

    def bucket(
        self, endpoint: str | None = None, timeout: float = 10, attempts: int = 4
    ) -> S3Storage:
        keys = ("key", "secret")
        return S3Storage(self.name, endpoint or self.endpoint, keys, timeout, attempts)


def context_on(
    url: URL,
    folder: Path,
    log: RunLog,
    bucket: S3Storage | None = None,
    recipient=None,
    identity: Path | None = None,
    reserve: int | None = None,
    **environ: str,
) -> BackupContext:
    """The context of a run on a database and a folder, at the time of the log."""
    settings = settings_of(
        folder,
        BACKUP_AGE_IDENTITY=str(identity or ""),
        BACKUP_DISK_RESERVE=str(reserve or ""),
        **environ,
    )
    context = BackupContext(
        settings,
        log.clock,
        log,
        Notifications(settings, {}, log.write),
        FolderStorage(folder),
        bucket,
        recipient,
        ExitStack(),
    )
    context.client = PostgresClient(url)
    return context


def make(kind: str, context: BackupContext) -> Backup:
    """Creates a backup as the command does."""
    with context.storage.lock() as lock:
        return create_backup(kind, context, lock)


def verify(backup: Backup, settings: Settings) -> None:
    """Verifies a backup as the command does."""
    verify_backup(backup, settings, lambda: load_identity(settings.backup_age_identity))


def settings_of(folder: Path, **environ: str) -> Settings:
    return Settings.from_env({"BACKUP_DIR": str(folder), "BACKUP_KEY": KEY, **environ})


def restore(backup: Backup, context: BackupContext, **asking) -> RestoreResult:
    """Restores a backup of a folder as the command does; whoever is asked agrees."""
    with open(backup.location, "rb") as file, context.storage.lock() as lock:
        if backup.manifest is not None:
            verify_checksum(backup, file)
        return restore_backup(backup, file, context, lock, Asking(**{"confirm": agree, **asking}))


def in_bucket(backup: Backup) -> BackupName:
    """What a backup is called in a bucket."""
    return replace(backup.name, identity=backup.manifest.identity)


def parts(folder: Path) -> list[str]:
    """Whatever is there that should not be: temporary files, companions without a dump."""
    names = [path.name for path in folder.rglob("*") if path.is_file()]
    dumps = {name for name in names if name.endswith((".dump.gz", ".dump.gz.age"))}
    return [
        name
        for name in names
        if name.endswith(".part")
        or (name.endswith(".manifest.json") and name.removesuffix(".manifest.json") not in dumps)
    ]


@contextmanager
def environment(**values: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


_STREAMS = """
SELECT count(*) FROM pg_stat_replication
WHERE application_name = 'pg_receivewal' AND state = 'streaming'
"""


@contextmanager
def receiving(me: User, environ: dict[str, str], url: URL) -> Iterator[subprocess.Popen[str]]:
    """`posapp backup receive-wal`, while it receives.

    Whether its slot is active says less: it is, for a moment, while it is dropped or made, too.
    """
    process = me.start("-m", "posapp", "backup", "receive-wal", environ=environ)
    try:
        wait_until(lambda: process.poll() is not None or run_sql(url, _STREAMS) == [(1,)], 60)
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, process.communicate()
    finally:
        process.kill()
        process.communicate()


def refusing(monkeypatch, refused, code="AccessDenied"):
    """Has S3 refuse what `refused(operation, key)` says, as it does for a key without the right."""
    call = botocore.client.BaseClient._make_api_call

    def refuse(self, operation, params):
        if refused(operation, str(params.get("Key", ""))):
            answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 403}}
            raise botocore.exceptions.ClientError(answer, operation)
        return call(self, operation, params)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refuse)


class Killable:
    """Starts backups and restores in processes that a test may kill; see `killable.py`."""

    def __init__(self, errors: Path) -> None:
        self.errors = errors
        with errors.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.backup.killable"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )

    def start(self, **job: str) -> int:
        """Begins a job; its process id. `ended` must be asked before the next one begins."""
        print(json.dumps(job), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def ended(self) -> int:
        """Waits for the job; its exit code, the negative of a signal that killed it."""
        return int(self._process.stdout.readline())

    def run(self, **job: str) -> int:
        """Runs a job to its end, or to the step at which it dies (`die_at`); its exit code."""
        self.start(**job)
        return self.ended()

    def steps(self, **job: str) -> list[str]:
        """Runs a job to its end; the steps that it takes, in order."""
        with tempfile.NamedTemporaryFile("r") as names:
            assert self.run(**job, steps=names.name) == 0, self.errors.read_text()
            return names.read().splitlines()

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


class Proxy:
    """Stands before a server on loopback and spoils what goes to it.

    `cut_after` bytes of a request its connection is cut; `silent`, it takes everything and answers
    nothing; `pause` seconds go by before each block. `cuts` counts down where it is a number.
    `before` is called with each block of a request; `cut_response_after` cuts an answer.
    """

    def __init__(self, endpoint: str) -> None:
        host, port = endpoint.removeprefix("http://").split(":")
        self.cut_after: int | None = None
        self.cuts: int | None = None
        self.silent = False
        self.pause = 0.0
        self.before: Callable[[bytes], None] = lambda block: None
        self.cut_response_after: int | None = None
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError), socket.create_connection((host, int(port))) as server:
                    back = threading.Thread(target=proxy._pipe, args=(server, self.request))
                    back.start()
                    proxy._forward(self.request, server)
                    with suppress(OSError):
                        server.shutdown(socket.SHUT_RDWR)
                    back.join()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        seen = 0
        while block := client.recv(16_384):
            seen += len(block)
            if self.cut_after is not None and seen > self.cut_after and self.cuts != 0:
                self.cuts = self.cuts - 1 if self.cuts else self.cuts
                client.shutdown(socket.SHUT_RDWR)
                return
            time.sleep(self.pause)
            self.before(block)
            if not self.silent:
                server.sendall(block)

    def _pipe(self, source: socket.socket, sink: socket.socket) -> None:
        seen = 0
        with suppress(OSError):
            while block := source.recv(65_536):
                seen += len(block)
                if self.cut_response_after is not None and seen > self.cut_response_after:
                    break
                sink.sendall(block)
            sink.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def manifest_for(name: BackupName, **changes) -> Manifest:
    """The manifest of a verified backup of one byte."""
    facts = {
        "file": str(name),
        "kind": name.kind,
        "created_at": name.at,
        "size_bytes": 1,
        "sha256": "0" * 64,
        "sql_bytes": 1,
        "encrypted": name.encrypted,
        "database": "d",
        "database_bytes": 1,
        "server_version": "18.6",
        "pg_dump_version": "18.6",
        "posapp_version": "1.0.0",
        "schema_revision": None,
        "row_counts": {"t": 1},
        "roles": (),
        "extensions": (),
        "verified_at": name.at,
    }
    return Manifest(**{**facts, **changes})


def rewrite(backup: Backup, folder: Path, signed: bool = True, **changes) -> Manifest:
    """Rewrites the manifest of a backup in a folder, signed as by whoever has the key, or not."""
    manifest = Manifest.model_validate({**backup.manifest.model_dump(), **changes})
    manifest = SigningKey(KEY).sign(manifest) if signed else manifest
    (folder / backup.kind / backup.name.manifest).write_bytes(manifest.dump())
    return manifest
