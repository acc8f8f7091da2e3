"""Small databases, a bucket that is real, and a clock that is handed in."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy.engine import URL

from healthkit.testing import wait_until
from posapp.backup.context import RunLog
from posapp.database.schema import upgrade
from posapp.runtime.child import child_command
from tests.backup.kit import KEY, S3, SMALL, Clock, Killable, Proxy, run_sql

_numbers = itertools.count()


@pytest.fixture
def small(postgres) -> Iterator[URL]:
    """A database of two tables."""
    name = f"small_{next(_numbers)}"
    url = postgres.create(name)
    run_sql(url, SMALL)
    yield url
    for (found,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
        if found.startswith(name):
            postgres.drop(found)


@pytest.fixture(scope="session", autouse=True)
def backup_key() -> Iterator[None]:
    """Every command signs by the same key, and none makes one in the checkout."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BACKUP_KEY", KEY)
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """An S3 server on loopback; its address."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def _bucket(endpoint: str) -> S3:
    made = S3(f"b-{uuid.uuid4().hex[:12]}", endpoint)
    made.client.create_bucket(Bucket=made.name)
    return made


@pytest.fixture
def s3(s3_server) -> S3:
    return _bucket(s3_server)


@pytest.fixture(scope="module")
def s3_of_module(s3_server) -> S3:
    return _bucket(s3_server)


@pytest.fixture
def log(tmp_path, clock) -> RunLog:
    return RunLog(tmp_path / "backup.log", clock)


@pytest.fixture(scope="session")
def killable(tmp_path_factory) -> Iterator[Killable]:
    made = Killable(tmp_path_factory.mktemp("killable") / "errors.log")
    yield made
    made.stop()


@pytest.fixture
def proxy(s3_server) -> Iterator[Proxy]:
    """Something unreliable before the S3 server."""
    made = Proxy(s3_server)
    yield made
    made.stop()


PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def debian(need):
    """A server of Debian's version, with the POS in it."""
    need(str(PROGRAMS / "postgres"))
    folder = Path(tempfile.mkdtemp(prefix="pos-15-"))
    user = None
    if os.geteuid() == 0:
        entry = pwd.getpwnam("postgres")
        user = (entry.pw_uid, entry.pw_gid)
        os.chown(folder, *user)
    data = folder / "data"
    init = [str(PROGRAMS / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-N"]
    made = subprocess.run(child_command(init, signal.SIGKILL, user), capture_output=True, cwd="/")
    assert made.returncode == 0, made.stderr
    options = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    serve = [str(PROGRAMS / "postgres"), "-D", str(data), *settings]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            child_command(serve, signal.SIGINT, user), stdout=log, stderr=log, cwd="/"
        )
    try:
        wait_until(lambda: (folder / ".s.PGSQL.5432").exists() or server.poll(), 30)
        query = {"host": str(folder), "port": "5432"}
        url = URL.create("postgresql+psycopg2", "postgres", database="postgres", query=query)
        wait_until(lambda: answers(url), 30)
        run_sql(
            url,
            "CREATE DATABASE steak_kenangan TEMPLATE template0 ENCODING 'UTF8'"
            " LOCALE_PROVIDER icu ICU_LOCALE 'id-ID' LC_COLLATE 'C' LC_CTYPE 'C'",
        )
        upgrade(url.set(database="steak_kenangan"))
        yield url.set(database="steak_kenangan")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def answers(url):
    try:
        return run_sql(url, "SELECT 1")
    except Exception:
        return False
