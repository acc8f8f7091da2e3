"""deploy.sh refuses migrations that would stop sales, or the version that still runs."""

import re
import shlex
import subprocess
import sys

import pytest

from posapp.database.schema import HEAD, MIGRATION_LOCK_TIMEOUT, known_revisions
from tests.deploy.stack import DEPLOY, ROOT

BIN = ROOT / ".venv/bin"

STOPS = {
    "a column that is dropped": "ALTER TABLE orders DROP COLUMN note;",
    "a table that is dropped": "DROP TABLE receipts;",
    "another name": "ALTER TABLE orders RENAME COLUMN note TO remark;",
    "another table name": "ALTER TABLE orders RENAME TO bills;",
    "another type": "ALTER TABLE orders ALTER COLUMN total TYPE text;",
    "a column that old rows lack": "ALTER TABLE orders ADD COLUMN extra bigint NOT NULL;",
    "a rule that is checked at once": "ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0);",
    "an index that stops writes": "CREATE INDEX i ON orders (total);",
    "a column that must be filled": "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;",
}
EXPANDS = {
    "a column": "ALTER TABLE orders ADD COLUMN extra text;",
    "a column with a default": "ALTER TABLE orders ADD COLUMN extra bigint NOT NULL DEFAULT 0;",
    "a table": "CREATE TABLE extras (id bigint PRIMARY KEY, name text);",
    "a wider rule": "ALTER TABLE orders DROP CONSTRAINT c;",
    "a rule for what comes": "ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0) NOT VALID;",
}


def squawk(sql):
    """By the options of the production's own lint."""
    text = (DEPLOY / "container/lint-migrations.sh").read_text().replace("\\\n", " ")
    options = shlex.split(
        re.search(r"^/squawk/bin/squawk (.*) /tmp/migrations.sql$", text, re.M)[1]
    )
    limits = "SET lock_timeout = 4000;\nSET statement_timeout = 60000;\n"
    return subprocess.run(
        [str(BIN / "squawk"), *options],
        input=limits + sql,
        capture_output=True,
        text=True,
        check=False,
    )


def migration_sql(revision):
    return subprocess.run(
        [sys.executable, str(ROOT / "tools/migration_sql.py"), revision],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", STOPS)
def test_what_stops_others_is_refused(name):
    done = squawk(STOPS[name])
    assert done.returncode == 1
    assert "warning" in done.stdout or "error" in done.stdout


@pytest.mark.parametrize("name", EXPANDS)
def test_what_only_expands_goes_through(name):
    done = squawk(EXPANDS[name])
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.deep
def test_the_migrations_that_a_database_has_not_seen_are_what_is_read():
    everything = migration_sql("base").stdout
    assert everything.startswith(f"SET lock_timeout = {MIGRATION_LOCK_TIMEOUT};\n")
    for revision in known_revisions():
        assert f"-> {revision}" in everything
    none = migration_sql(HEAD)
    assert (none.returncode, len(none.stdout.splitlines())) == (0, 2)
    assert squawk(none.stdout).returncode == 0


def test_after_a_newer_versions_schema_there_is_nothing_to_do():
    """This version is deployed after a rollback, say with a mend: it must not be refused."""
    done = migration_sql("9999_next")
    assert (done.returncode, done.stderr) == (0, "")
    assert squawk(done.stdout).returncode == 0
    assert "9999_next" in done.stdout
    assert "ALTER" not in done.stdout
