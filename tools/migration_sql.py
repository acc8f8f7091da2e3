"""Prints the SQL of the migrations after a revision: what squawk reads before a deployment.

migration_sql.py REVISION    all after it; `base` for all
"""

from __future__ import annotations

import sys
from typing import Any

from alembic.runtime.environment import EnvironmentContext
from alembic.util.exc import CommandError

from posapp.database.schema import MIGRATION_LOCK_TIMEOUT, migrations


def migration_sql(revision: str) -> None:
    """Writes to standard output. Raises CommandError for a revision that there is not."""
    config, scripts = migrations()
    if revision != "base":
        scripts.get_revision(revision)
    print(f"SET lock_timeout = {MIGRATION_LOCK_TIMEOUT};")  # as `posapp db upgrade` has it
    print("SET statement_timeout = 60000;")

    def steps(found: object, context: object) -> Any:
        return scripts._upgrade_revs("head", None if revision == "base" else revision)

    with EnvironmentContext(
        config, scripts, fn=steps, as_sql=True, starting_rev=revision, destination_rev="head"
    ) as environment:
        environment.configure(dialect_name="postgresql", transactional_ddl=False)
        environment.run_migrations()


if __name__ == "__main__":
    try:
        migration_sql(sys.argv[1])
    except CommandError as error:
        sys.exit(f"migration_sql: {error}")
