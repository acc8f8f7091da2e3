"""What the tests of backups have in common, besides their fixtures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import psycopg2
from sqlalchemy.engine import URL

from posapp.backup.bucket import Bucket
from posapp.backup.catalogue import Folder
from posapp.backup.make import Work
from posapp.backup.postgres import Access
from posapp.settings import Settings

NOON = datetime(2025, 12, 26, 5, 0, tzinfo=UTC)

SMALL = """
CREATE TABLE guests (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE bills (
  id bigserial PRIMARY KEY, guest int NOT NULL REFERENCES guests, total bigint NOT NULL);
INSERT INTO guests SELECT n, 'Tamu ' || n FROM generate_series(1, 50) n;
INSERT INTO bills (guest, total) SELECT 1 + n % 50, n * 1000 FROM generate_series(1, 400) n;
"""


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


def address(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


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

    @property
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

    def bucket(self, endpoint: str | None = None, timeout: float = 10) -> Bucket:
        return Bucket(self.name, endpoint or self.endpoint, ("key", "secret"), timeout)


def work_on(url: URL, folder: Path, bucket: Bucket | None = None, key=None, identity=None) -> Work:
    return Work(Access(url), Folder(folder), bucket, key, identity or (lambda: None))


def settings_of(folder: Path, **environ: str) -> Settings:
    return Settings.from_env({"BACKUP_DIR": str(folder), **environ})


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
