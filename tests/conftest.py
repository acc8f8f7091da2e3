"""The real parts that tests share: a PostgreSQL, databases on it, the whole POS."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import psycopg2.extensions
import pytest
from psycopg2 import sql
from sqlalchemy.engine import URL

from healthkit import SYSTEM_CLOCK
from posapp.database.engine import open_session
from posapp.database.schema import upgrade
from posapp.features.seed import seed_demo_data
from posapp.runtime.postgres import use_embedded_database
from posapp.settings import Settings
from tests.servers import UNSYNCED, free_port, prepared, running_pos, serve, start_pos
from tests.till import app, cashier, sign_in, water
from tests.users import command, me, ordinary_user

__all__ = [  # fixtures that other modules make
    "app",
    "cashier",
    "command",
    "free_port",
    "me",
    "ordinary_user",
    "prepared",
    "running_pos",
    "serve",
    "sign_in",
    "start_pos",
    "water",
]


@pytest.fixture(scope="session")
def need() -> Callable[..., None]:
    """`need("jq", "curl")`: skips where one of them is missing; in CI that is a failure."""

    def check(*programs: str) -> None:
        missing = [program for program in programs if shutil.which(program) is None]
        if missing:
            reason = f"missing here: {', '.join(missing)}; .ci/run installs what Debian has"
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)

    return check


# PostgreSQL


@dataclass(frozen=True)
class Postgres:
    """A server on which a test may make databases."""

    url: URL
    data_dir: Path

    def execute(self, statement: sql.Composable | str) -> None:
        """Runs one statement in autocommit, as CREATE DATABASE needs it."""
        connection = psycopg2.connect(
            host=self.url.query["host"], user=self.url.username, dbname="postgres"
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def create(self, name: str, template: str = "template1") -> URL:
        """A new database, a copy of the template (to which nobody may be connected)."""
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.url.set(database=name)

    def drop(self, name: str) -> None:
        self.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One server for each worker. `postgres.url` is its empty database; make your own with
    `postgres.create(name)`. What it holds need not outlive a crash of the machine."""
    data_dir = tmp_path_factory.mktemp("pos")
    with use_embedded_database(data_dir, UNSYNCED) as url:
        yield Postgres(url, data_dir)


@pytest.fixture(scope="session")
def template_database(postgres: Postgres) -> str:
    """The name of a database with the schema and the demo's menu, to copy."""
    url = postgres.create("pos_template")
    upgrade(url)
    with open_session(url, Settings()) as session:
        seed_demo_data(session, SYSTEM_CLOCK.now())
    return "pos_template"


_numbers = itertools.count()


@pytest.fixture(scope="module")
def database(postgres: Postgres, template_database: str) -> Iterator[URL]:
    """The URL of a fresh database with the schema and the demo's menu, one for each module."""
    name = f"pos_{next(_numbers)}"
    yield postgres.create(name, template_database)
    postgres.drop(name)


@pytest.fixture
def cursor(database: URL) -> Iterator[psycopg2.extensions.cursor]:
    """A cursor on `database` beside the application, in autocommit."""
    address = database.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg2.connect(address)
    connection.autocommit = True
    with connection.cursor() as found:
        yield found
    connection.close()
