"""Prints the SQL of the migrations after a revision: what squawk reads before a deployment.

migration_sql.py REVISION    all after it; `base` for all. After the revision of a newer version, to
                             which this one is a way back, there is none.
"""

from __future__ import annotations

import sys
from typing import Any

from alembic.runtime.environment import EnvironmentContext

from posapp.database.schema import MIGRATION_LOCK_TIMEOUT, is_newer, migrations


def migration_sql(revision: str) -> None:
    """Writes to standard output."""
    config, scripts = migrations()
    if revision != "base" and is_newer(revision):
        print(f"-- {revision} is that of a newer version")
        return
    print(f"SET lock_timeout = {MIGRATION_LOCK_TIMEOUT};")  # as `posapp db upgrade` has it
    print("SET statement_timeout = 60000;")

    def steps(found: Any, context: Any) -> Any:
        return scripts._upgrade_revs("head", None if revision == "base" else revision)

    with EnvironmentContext(
        config, scripts, fn=steps, as_sql=True, starting_rev=revision, destination_rev="head"
    ) as environment:
        environment.configure(dialect_name="postgresql", transactional_ddl=False)
        environment.run_migrations()


if __name__ == "__main__":
    migration_sql(sys.argv[1])
