"""The real parts that tests share: a PostgreSQL, databases on it, the whole POS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql
from sqlalchemy.engine import URL

from posapp.embedded import running


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
        self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One server for the whole run. `postgres.url` is its empty database; make your own with
    `postgres.create(name)`."""
    data_dir = tmp_path_factory.mktemp("pos")
    with running(data_dir) as url:
        yield Postgres(url, data_dir)
