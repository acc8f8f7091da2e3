"""Small databases, a bucket that is real, and a clock that is handed in."""

import itertools
import uuid
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy.engine import URL

from posapp.backup.context import RunLog
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
