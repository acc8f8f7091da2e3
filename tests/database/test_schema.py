"""The migrations make the schema that the models describe."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from posapp.database.schema import HEAD, DatabaseError, _scripts, known_revisions, upgrade
from posapp.features.models import MODULES, metadata

LEAVING = {("refresh_tokens", "token_hash"), ("refresh_tokens", "revoked_at")}
"""Columns of the version before, which still runs while this one is rolled out."""

LEAVING_TABLES = {"rate_limits"}


def test_the_migrations_make_what_the_models_describe(database):
    engine = create_engine(database)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    told = [one for one in differences if not _leaves(one)]
    assert told == []


def test_the_newest_revision_is_the_one_that_commands_compare_with():
    assert _scripts().get_heads() == [HEAD]
    assert HEAD in known_revisions()


def _leaves(difference):
    """`("remove_column", schema, table, column)` of a column that goes a release later, or what
    belongs to one."""
    match difference:
        case ("remove_table", table):
            return table.name in LEAVING_TABLES
        case ("remove_column", _, table, column):
            return (table, column.name) in LEAVING
        case ("remove_constraint", constraint):
            return {(constraint.table.name, c.name) for c in constraint.columns} <= LEAVING
        case _:
            return False


def test_every_module_of_tables_is_among_those_that_migrations_compare():
    named = {module.__name__ for module in MODULES}
    declared = {mapper.class_.__module__ for mapper in _mappers()}
    assert declared == named


def _mappers():
    from posapp.database.base import Base

    return Base.registry.mappers


def test_the_schema_of_a_newer_version_stays_as_it_is(database, cursor):
    """Who rolls back starts on it: compose asks the one that migrates before any backend."""
    cursor.execute("UPDATE alembic_version SET version_num = '9999_next'")
    upgrade(database)
    cursor.execute("SELECT version_num FROM alembic_version")
    assert cursor.fetchall() == [("9999_next",)]
    cursor.execute("UPDATE alembic_version SET version_num = %s", [HEAD])


@pytest.mark.deep
def test_an_upgrade_that_waits_for_a_table_gives_up_in_one_line(database, cursor):
    """Behind one that waits for it, everybody else would wait too."""
    cursor.execute("BEGIN; LOCK TABLE alembic_version")
    with pytest.raises(DatabaseError, match="lock timeout") as refused:
        upgrade(database)
    assert "\n" not in str(refused.value)
    cursor.execute("ROLLBACK")
