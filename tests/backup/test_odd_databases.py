"""Whatever may be backed up can be restored, however odd the database is."""

from tests.backup.kit import context_on, make, restore, run_sql

ROWS = "VALUES ('it''s'), ('$$'), ('\"'), (E'\\\\.'), (E'a\\nALTER TABLE a OWNER TO b;\\n')"
NAMES = ["a;b", 'a"b', "a'b", "a\nb;", "x OWNER TO y", "COPY x FROM stdin;", "%s", "é" * 31, "user"]


def test_names_come_back_with_their_owners_whatever_is_in_them(small, tmp_path, log):
    owner = f"kepala_{small.database}"
    run_sql(small, f'CREATE ROLE "{owner}; x"')
    for name in NAMES:
        quoted = '"' + name.replace('"', '""') + '"'
        run_sql(small, f"CREATE TABLE {quoted} ({quoted} text)")
        run_sql(small, f"INSERT INTO {quoted} {ROWS}")
        run_sql(small, f'ALTER TABLE {quoted} OWNER TO "{owner}; x"')
    context = context_on(small, tmp_path, log)
    try:
        restore(make("daily", context), context)
        owned = f"SELECT tablename FROM pg_tables WHERE tableowner = '{owner}; x'"
        found = {name for (name,) in run_sql(small, owned)}
        assert found == set(NAMES)
    finally:
        for (name,) in run_sql(small, "SELECT datname FROM pg_database"):
            if name.startswith(small.database):
                run_sql(small.set(database=name), f'DROP OWNED BY "{owner}; x"')
        run_sql(small, f'DROP ROLE "{owner}; x"')


def test_a_comment_of_ones_own_on_an_extension_is_in_nobodys_way(small, tmp_path, log):
    run_sql(small, "CREATE EXTENSION pageinspect")
    run_sql(small, "COMMENT ON EXTENSION pageinspect IS E'ours; and\\nit''s of two lines'")
    context = context_on(small, tmp_path, log)
    assert restore(make("daily", context), context).rows == 452
