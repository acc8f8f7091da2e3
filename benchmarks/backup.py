"""A backup, and a restore, beside the usual ways on the same database.

    python -m benchmarks backup 1000

The size of the SQL in megabytes, 300 by default; a gigabyte takes about ten minutes. What is ours
and what it is compared with take turns, and the best of their rounds counts: whatever else the
machine does makes neither of them faster. What is ours also counts every row, reads the file again
and syncs it to the disk.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg2
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from sqlalchemy.engine import URL

from healthkit_backup_freshness.s3 import S3Source
from posapp.backup.model.backup import BackupName
from posapp.backup.model.manifest import Manifest
from posapp.backup.postgres.client import PostgresClient
from posapp.database.schema import HEAD
from posapp.runtime.postgres import BIN_DIR, use_embedded_database

FILL = """
CREATE TABLE alembic_version (version_num text PRIMARY KEY);
INSERT INTO alembic_version VALUES ('{head}');
CREATE TABLE orders (
  id bigint PRIMARY KEY, number text NOT NULL, placed timestamptz NOT NULL, note text,
  total bigint NOT NULL);
CREATE TABLE order_lines (
  id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, name text NOT NULL,
  price bigint NOT NULL, quantity int NOT NULL, key uuid NOT NULL);
INSERT INTO orders SELECT n, 'A-' || n, timestamptz '2024-01-01' + n * interval '97 s',
  CASE WHEN n % 5 = 0 THEN 'tanpa bawang, meja ' || n % 40 END, (random() * 900000)::bigint
  FROM generate_series(1, {orders}) n;
INSERT INTO order_lines SELECT n, 1 + n % {orders},
  (ARRAY['Steak Sirloin 200 g', 'Steak Tenderloin 180 g', 'Nasi Putih', 'Es Teh Manis',
         'Kentang Goreng', 'Sup Buntut'])[1 + n % 6],
  (random() * 250000)::bigint, 1 + n % 4, gen_random_uuid()
  FROM generate_series(1, {orders} * 3) n;
CREATE INDEX ON order_lines (order_id);
VACUUM ANALYZE;
"""
OBJECTS = 5_000
ROUNDS = 3
BARE_DUMP, BARE_RESTORE = "pg_dump to nowhere", "zcat | psql"
BYTES_FOR_AN_ORDER = 295
"""Of SQL, with its three lines."""


@dataclass
class Result:
    seconds: float
    size: int | None
    memory: int
    """Bytes of the largest of its processes."""


def run(command: str, output: Path | None, environ: dict[str, str]) -> Result:
    """Runs a line of shell and measures it."""
    began = time.monotonic()
    program = subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", command],
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if program.returncode:
        raise RuntimeError(f"{command}: exit code {program.returncode}")
    size = output.stat().st_size if output else None
    return Result(seconds, size, usage.ru_maxrss * 1024)


def fill(url: URL, megabytes: int) -> None:
    orders = megabytes * 1_000_000 // BYTES_FOR_AN_ORDER
    with PostgresClient(url).connect() as connection, connection.cursor() as cursor:
        for statement in FILL.format(orders=orders, head=HEAD).split(";\n"):
            if statement.strip():
                cursor.execute(statement)


def best(*ways: Callable[[], Result]) -> list[Result]:
    """Measures ways in turn, and returns the best round of each."""
    rounds = [[way() for way in ways] for _ in range(ROUNDS)]
    return [min(found, key=lambda one: one.seconds) for found in zip(*rounds, strict=True)]


def table(title: str, results: dict[str, Result], base: str) -> None:
    """Prints a table; its last column is how many times as long as `base` each takes."""
    print(f"\n{title}\n")
    width = max(map(len, results))
    head = f"of {base}"
    print(f"| {'':{width}} | seconds | size MB | memory MB | {head} |")
    print(f"| {'-' * width} | ------: | ------: | --------: | {'-' * (len(head) - 1)}: |")
    for name, one in results.items():
        size = f"{one.size / 1e6:7.1f}" if one.size is not None else "      -"
        share = one.seconds / results[base].seconds
        print(
            f"| {name:{width}} | {one.seconds:7.2f} | {size} | {one.memory / 1e6:9.0f} |"
            f" {share:{len(head)}.2f} |"
        )


def dumps(url: URL, folder: Path, posapp: str, environ: dict[str, str]) -> dict[str, Result]:
    dump = f"{BIN_DIR}/pg_dump --dbname='{_dsn(url)}'"
    out = folder / "out"
    ways = {"pg_dump | gzip -6": (f"{dump} | gzip -6 >{out}", out)}
    if shutil.which("pigz"):
        ways["pg_dump | pigz -6 -p2"] = (f"{dump} | pigz -6 -p2 >{out}", out)
    ways["pg_dump -Fc"] = (f"{dump} -Fc -f {out}", out)
    bare, ours = best(
        lambda: run(f"{dump} >/dev/null", None, environ),
        lambda: run(f"{posapp} backup daily", None, environ),
    )
    ours.size = newest(folder).stat().st_size
    others = {name: run(command, output, environ) for name, (command, output) in ways.items()}
    return {BARE_DUMP: bare, "posapp backup": ours, **others}


def restores(url: URL, folder: Path, posapp: str, environ: dict[str, str]) -> dict[str, Result]:
    """The way without a pre-restore backup, which `zcat | psql` does not make either, and with."""
    made = newest(folder)
    target = _dsn(url.set(database="beside"))
    psql = f"{BIN_DIR}/psql --quiet --set=ON_ERROR_STOP=1 --dbname='{target}'"
    command = f"{posapp} restore {made} --skip-confirm"

    def plain() -> Result:
        _execute(url, "DROP DATABASE IF EXISTS beside", "CREATE DATABASE beside")
        return run(f"zcat {made} | {psql}", None, environ)

    bare, ours = best(plain, lambda: run(f"{command} --no-pre-restore-backup", None, environ))
    _execute(url, "DROP DATABASE beside")
    safe = run(command, None, environ)
    return {BARE_RESTORE: bare, "posapp restore": ours, "with a backup before": safe}


def newest(folder: Path) -> Path:
    """Returns the newest dump that was made by us."""
    return max((folder / "backups" / "daily").glob("*.dump.gz"))


def _execute(url: URL, *statements: str) -> None:
    with PostgresClient(url).connect("postgres") as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def lists(folder: Path, posapp: str, environ: dict[str, str]) -> dict[str, Result]:
    """The list and the check on a bucket with so many objects, and on one with a tenth."""
    made = newest(folder)
    manifest = Manifest.parse(made.with_name(f"{made.name}.manifest.json").read_bytes())
    assert manifest is not None
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint, results = f"http://{host}:{port}", {}
        for count in (OBJECTS // 10, OBJECTS):
            bucket = f"objects-{count}"
            _fill_bucket(bucket, manifest, count // 3)
            there = {
                "BACKUP_S3_BUCKET": bucket,
                "BACKUP_S3_ENDPOINT": endpoint,
                "BACKUP_S3_ACCESS_KEY": "key",
                "BACKUP_S3_SECRET_KEY": "secret",
            }
            results[f"list, {count} objects"] = run(
                f"{posapp} backup list", None, {**environ, **there}
            )
            results[f"boto3 alone, {count}"] = run(_names_by_boto3(bucket, endpoint), None, {})
            began = time.monotonic()
            source = S3Source(bucket, "daily", endpoint, ("key", "secret"), 10.0)
            found = source.backups("*.dump.gz", ZoneInfo("Asia/Jakarta"))
            source.close()
            if len(found) != count // 3:
                raise RuntimeError(f"{len(found)} backups are seen")
            results[f"freshness, {count}"] = Result(time.monotonic() - began, None, 0)
        return results
    finally:
        server.stop()


def _names_by_boto3(bucket: str, endpoint: str) -> str:
    """A line of shell that has boto3 tell the names in a bucket, and nothing else: the rest of a
    list's time is that of the library and of the stand-in for S3."""
    code = (
        "import boto3;"
        f" s3 = boto3.client('s3', endpoint_url='{endpoint}', region_name='us-east-1',"
        " aws_access_key_id='key', aws_secret_access_key='secret');"
        f" pages = s3.get_paginator('list_objects_v2').paginate(Bucket='{bucket}');"
        " print(sum(len(page['Contents']) for page in pages))"
    )
    return f'{sys.executable} -c "{code}"'


def _fill_bucket(bucket: str, manifest: Manifest, backups: int) -> None:
    """Puts the objects into the server itself: by requests it would take minutes."""
    store = get_backend("s3")[DEFAULT_ACCOUNT_ID]["global"]
    store.create_bucket(bucket, "us-east-1")
    identity = manifest.identity or "0" * 16
    for number in range(backups):
        at = manifest.created_at.replace(microsecond=0) - timedelta(days=number)
        name = BackupName(at, "daily", identity=identity)
        shown = manifest.model_copy(update={"file": str(name.plain), "identity": identity})
        files = {str(name): b"", name.manifest: shown.dump(), name.globals: b"--"}
        for file, body in files.items():
            store.put_object(bucket, name.key_of(file), body)


def _dsn(url: URL) -> str:
    return psycopg2.extensions.make_dsn(dbname=url.database, **PostgresClient(url).parameters)


def main(arguments: Sequence[str] = ()) -> None:
    megabytes = int(arguments[0]) if arguments else 300
    posapp = f"{sys.executable} -m posapp"
    fast = {"fsync": "off", "max_wal_size": "4GB", "shared_buffers": "256MB"}
    with (
        tempfile.TemporaryDirectory() as name,
        use_embedded_database(Path(name) / "server", fast) as url,
    ):
        folder = Path(name)
        fill(url, megabytes)
        environ = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "BACKUP_DIR": str(folder / "backups"),
            "BACKUP_LOG": str(folder / "backup.log"),
            "BACKUP_KEEP_BEFORE": "9",  # to drop an older one is none of the two ways' work
            "HEALTHKIT_STORE": f"sqlite:///{folder}/store.db",
        }
        table(f"A backup of {megabytes} MB of SQL", dumps(url, folder, posapp, environ), BARE_DUMP)
        table("Its restore", restores(url, folder, posapp, environ), BARE_RESTORE)
        listed = lists(folder, posapp, environ)
        table("A bucket that nobody may empty", listed, f"list, {OBJECTS // 10} objects")
