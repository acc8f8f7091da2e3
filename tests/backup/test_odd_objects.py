"""Objects that few databases have come back as they were, in a restore and in a drill."""

from tests.backup.kit import context_on, make, restore, run_sql


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
