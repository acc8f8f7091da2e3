"""Objects that few databases have come back as they were, in a restore and in a drill."""

import pytest

from posapp.backup.drill import drill
from posapp.backup.postgres.client import PostgresClient, query
from tests.backup.kit import agree, context_on, make, restore, rewrite, run_sql

SPACED = """
CREATE TABLE archived (id int) TABLESPACE "odd ""space";
INSERT INTO archived VALUES (1), (2);
CREATE INDEX by_name ON guests (name) TABLESPACE "odd ""space";
CREATE TABLE usual (id int)
"""
IN_SPACES = """
SELECT relname, spcname FROM pg_class LEFT JOIN pg_tablespace t ON t.oid = reltablespace
WHERE relname IN ('archived', 'by_name', 'usual') ORDER BY 1
"""
OF_LOADERS = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'posapp_load%'"
"""Also those of restores of other databases of this server that a test has killed."""


@pytest.fixture
def space(postgres, small):
    """A tablespace that is none of the database's own."""
    with PostgresClient(postgres.url).connect() as connection:
        query(connection, "SET allow_in_place_tablespaces = on")
        query(connection, 'CREATE TABLESPACE "odd ""space" LOCATION \'\'')
    yield
    for (found,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
        if found.startswith(small.database):
            postgres.drop(found)
    run_sql(postgres.url, 'DROP TABLESPACE "odd ""space"')


@pytest.mark.deep
def test_tables_in_a_tablespace_come_back_there_or_it_is_said(small, space, tmp_path, log):
    """A stranger's dump gets no room but the database's own; a drill has no other either."""
    run_sql(small, SPACED)
    before = run_sql(small, IN_SPACES)
    assert before == [("archived", 'odd "space'), ("by_name", 'odd "space'), ("usual", None)]
    context = context_on(small, tmp_path, log)
    loaders = run_sql(small, OF_LOADERS)
    backup = make("daily", context)
    restore(backup, context)
    assert run_sql(small, IN_SPACES) == before
    assert "Not as it was" not in log.path.read_text()
    rewrite(backup, tmp_path, signed=False, signature=None)
    unsigned = context.storage.list_backups()[0]
    restore(unsigned, context, unsigned=True, confirm_typed=agree)
    assert run_sql(small, IN_SPACES) == [("archived", None), ("by_name", None), ("usual", None)]
    assert 'what lay in the tablespace odd "space' in log.path.read_text()
    assert run_sql(small, OF_LOADERS) == loaders


@pytest.mark.deep
def test_the_role_of_a_restore_that_was_killed_goes_with_its_rights(small, space, tmp_path, log):
    role, others = "posapp_load_0123456789abcdef", run_sql(small, OF_LOADERS)
    run_sql(small, f"CREATE ROLE {role}")
    run_sql(small, f"COMMENT ON ROLE {role} IS 'loads one dump for posapp'")
    run_sql(small, f'GRANT CREATE ON TABLESPACE "odd ""space" TO {role}')
    run_sql(small, f"GRANT SET ON PARAMETER log_min_messages TO {role}")
    context = context_on(small, tmp_path, log)
    restore(make("daily", context), context)
    assert run_sql(small, OF_LOADERS) == others


@pytest.mark.deep
def test_an_aggregate_that_counts_rows_comes_back_with_its_owner(small, tmp_path, log):
    owner = f"kepala_{small.database}"
    run_sql(small, f"CREATE ROLE {owner}")
    run_sql(small, "CREATE FUNCTION next(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1'")
    run_sql(small, "CREATE AGGREGATE tally(*) (SFUNC = next, STYPE = int, INITCOND = '0')")
    run_sql(small, f"ALTER AGGREGATE tally(*) OWNER TO {owner}")
    context = context_on(small, tmp_path, log)
    try:
        restore(make("daily", context), context)
        owned = "SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'tally'"
        assert run_sql(small, owned) == [(owner,)]
        assert run_sql(small, "SELECT tally(*) FROM guests") == [(50,)]
    finally:
        for (name,) in run_sql(small, "SELECT datname FROM pg_database"):
            if name.startswith(small.database):
                run_sql(small.set(database=name), f"DROP OWNED BY {owner} CASCADE")
        run_sql(small, f"DROP ROLE {owner}")


def test_a_materialized_view_has_again_what_row_security_hides(small, tmp_path, log):
    run_sql(small, "CREATE MATERIALIZED VIEW names AS SELECT name FROM guests")
    run_sql(small, "ALTER TABLE guests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    run_sql(small, "CREATE POLICY nobody ON guests USING (false)")
    context = context_on(small, tmp_path, log)
    restore(make("daily", context), context)
    assert run_sql(small, "SELECT count(*) FROM names") == [(50,)]


CHANGES = """
CREATE TABLE changes (tag text);
CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql
    AS 'BEGIN INSERT INTO public.changes VALUES (tg_tag); END';
CREATE FUNCTION forbidden() RETURNS event_trigger LANGUAGE plpgsql
    AS 'BEGIN RAISE EXCEPTION ''no changes here''; END';
CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION noted();
CREATE MATERIALIZED VIEW one AS SELECT 1 AS a;
REVOKE SELECT ON guests FROM postgres;
CREATE EVENT TRIGGER forbidden ON ddl_command_start EXECUTE FUNCTION forbidden();
"""


@pytest.mark.deep
def test_event_triggers_neither_stop_a_restore_or_a_drill_nor_note_them(small, tmp_path, log):
    run_sql(small, CHANGES)
    before = run_sql(small, "SELECT tag FROM changes ORDER BY 1")
    assert before
    context = context_on(small, tmp_path, log)
    backup = make("daily", context)
    restore(backup, context)
    assert run_sql(small, "SELECT tag FROM changes ORDER BY 1") == before
    found = drill(backup, context)
    assert "no changes here" not in (found.issue or "")


FAR_CHILD = """
CREATE EXTENSION postgres_fdw;
CREATE SERVER gone FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');
CREATE USER MAPPING FOR PUBLIC SERVER gone OPTIONS (user 'sari', password 'x');
CREATE TABLE sales (id int);
INSERT INTO sales VALUES (1), (2);
CREATE TABLE older () INHERITS (sales);
INSERT INTO older VALUES (3);
CREATE FOREIGN TABLE oldest () INHERITS (older) SERVER gone;
"""


@pytest.mark.deep
def test_rows_of_another_server_are_not_counted_with_those_of_a_table(small, tmp_path, log):
    """It may not answer, and has others tomorrow: no dump has them."""
    run_sql(small, FAR_CHILD)
    context = context_on(small, tmp_path, log)
    backup = make("daily", context)
    assert (backup.manifest.row_counts["sales"], backup.manifest.row_counts["older"]) == (2, 1)
    assert restore(backup, context).rows == backup.manifest.rows


VALUES = ", ".join(f"'m{number}'" for number in range(60))
BY_HASH = f"""
CREATE TYPE mood AS ENUM ({VALUES});
CREATE TABLE moods (mood mood) PARTITION BY HASH (mood);
CREATE TABLE moods_0 PARTITION OF moods FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE moods_1 PARTITION OF moods FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE moods_2 PARTITION OF moods FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE moods_3 PARTITION OF moods FOR VALUES WITH (MODULUS 4, REMAINDER 3);
INSERT INTO moods SELECT unnest(enum_range(NULL::mood));
"""


@pytest.mark.deep
def test_rows_that_a_restore_lays_into_other_partitions_are_compared_together(small, tmp_path, log):
    """The hash of an enum's value is another in each database: pg_dump knows, and so must we."""
    run_sql(small, BY_HASH)
    before = run_sql(small, "SELECT tableoid::regclass, count(*) FROM moods GROUP BY 1 ORDER BY 1")
    context = context_on(small, tmp_path, log)
    restore(make("daily", context), context)
    after = run_sql(small, "SELECT tableoid::regclass, count(*) FROM moods GROUP BY 1 ORDER BY 1")
    assert sum(count for _, count in after) == sum(count for _, count in before) == 60
