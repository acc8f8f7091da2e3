"""Whatever may be backed up can be restored, however odd the database is."""

import pytest

from posapp.backup.errors import BackupError
from posapp.backup.postgres.client import PostgresClient, query
from posapp.backup.postgres.psql import Psql
from posapp.runtime.postgres import use_server
from tests.backup.kit import (
    SMALL,
    SMALL_ROWS,
    agree,
    context_on,
    make,
    restore,
    rewrite,
    run_sql,
)

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


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_any_encoding_comes_back(postgres, tmp_path, log, encoding):
    name = f"encoded_{encoding.lower()}"
    made = f"ENCODING '{encoding}' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
    run_sql(postgres.url, f"CREATE DATABASE {name} TEMPLATE template0 {made}")
    url = postgres.url.set(database=name)
    try:
        with PostgresClient(url).connect() as connection:
            query(connection, SMALL)
            query(connection, "CREATE TABLE é AS SELECT 'é'::text AS name")
            query(connection, "COMMENT ON TABLE é IS 'é'")
            query(connection, "CREATE SCHEMA è CREATE TABLE rows ()")
            query(connection, "CREATE EXTENSION dblink SCHEMA è")
        context = context_on(url, tmp_path, log)
        restore(make("daily", context), context)
        with PostgresClient(url).connect() as connection:
            assert query(connection, "SELECT name FROM é") == [("é",)]
            schemas = {extension: schema for extension, schema, _ in query(connection, IN_SCHEMAS)}
            assert schemas["dblink"] == "è"
    finally:
        for (found,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
            if found.startswith(name):
                postgres.drop(found)


@pytest.mark.deep
def test_a_comment_of_ones_own_on_an_extension_is_in_nobodys_way(small, tmp_path, log):
    run_sql(small, "CREATE EXTENSION pageinspect")
    run_sql(small, "COMMENT ON EXTENSION pageinspect IS E'ours; and\\nit''s of two lines'")
    context = context_on(small, tmp_path, log)
    assert restore(make("daily", context), context).rows == 452


SUPERUSERS = """
CREATE FUNCTION changed() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER noted ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION changed();
ALTER EVENT TRIGGER noted DISABLE;
COMMENT ON EVENT TRIGGER noted IS 'of;
two lines';
CREATE PUBLICATION all_of_it FOR ALL TABLES;
CREATE PUBLICATION "some; of it" FOR TABLE guests WHERE (name <> 'a;
b'), TABLES IN SCHEMA public;
ALTER PUBLICATION all_of_it OWNER TO postgres;
"""
FOUND = """
SELECT evtname, evtenabled::text, obj_description(oid) FROM pg_event_trigger UNION ALL
SELECT pubname, puballtables::text, obj_description(oid) FROM pg_publication ORDER BY 1
"""


@pytest.mark.deep
def test_what_only_a_superuser_may_make_comes_back_from_what_is_signed(small, tmp_path, log):
    """No loader may, and of a stranger's dump nobody may: an event trigger runs as whoever works
    at the server."""
    run_sql(small, SUPERUSERS)
    before = run_sql(small, FOUND)
    context = context_on(small, tmp_path, log)
    backup = make("daily", context)
    restore(backup, context)
    assert run_sql(small, FOUND) == before
    assert len(before) == 3
    rewrite(backup, tmp_path, signed=False, signature=None)
    unsigned = context.storage.list_backups()[0]
    with pytest.raises(BackupError, match="must be superuser to create"):
        restore(unsigned, context, unsigned=True, confirm_typed=agree)


SETTINGS = {
    "quote_all_identifiers": "on",
    "transaction_timeout": "1min",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "DateStyle": "SQL, DMY",
    "default_transaction_deferrable": "on",
    "session_replication_role": "replica",
    "row_security": "off",
}
SET = "SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase"


@pytest.mark.deep
def test_nothing_that_a_database_sets_is_in_the_way_of_its_restore(small, tmp_path, log):
    for name, value in SETTINGS.items():
        run_sql(small, f"ALTER DATABASE {small.database} SET {name} = '{value}'")
    own = f"{SET} WHERE datname = '{small.database}' ORDER BY 1"
    before = run_sql(small, own)
    context = context_on(small, tmp_path, log)
    assert restore(make("daily", context), context).rows == 452
    assert run_sql(small, own) == before
    assert len(before) == len(SETTINGS)


@pytest.mark.deep
def test_a_server_of_several_addresses_is_backed_up_and_restored(small, tmp_path, log):
    """Of a cluster the first that answers is taken, as by the application itself."""
    several = small.set(query={"host": ("127.0.0.1:1", small.query["host"])})
    context = context_on(several, tmp_path, log)
    assert restore(make("daily", context), context).rows == 452


@pytest.mark.parametrize("query", ["host=a&host=b&port=1&port=2&port=3", "host=a:x&host=b"])
def test_addresses_that_no_ports_fit_are_a_mistake_to_fix(command, tmp_path, query):
    made = command(
        *("backup", "daily"),
        DATABASE_URL=f"postgresql://pos@/pos?{query}",
        BACKUP_DIR=str(tmp_path),
    )
    assert made.returncode == 2
    assert made.stderr.splitlines()[-1].startswith("DATABASE_URL: ")


UNHURRIED = """
DO $$ BEGIN ASSERT current_setting('transaction_timeout') = '0'; END $$;
"""


def test_no_session_of_ours_is_under_a_limit_of_a_transactions_time(small):
    """One holds the snapshot as long as the dump takes, one loads the largest table in one go."""
    run_sql(small, f"ALTER DATABASE {small.database} SET transaction_timeout = '1min'")
    client = PostgresClient(small)
    with client.connect() as connection:
        query(connection, UNHURRIED)
    with Psql(client) as psql:
        psql.write(UNHURRIED.encode())
        psql.finish()


OF_AN_EXTENSION = """
CREATE SCHEMA "of others";
CREATE SCHEMA "of
two; lines";
CREATE EXTENSION dblink SCHEMA "of others";
CREATE EXTENSION pageinspect SCHEMA "of
two; lines";
CREATE EXTENSION postgres_fdw SCHEMA "of others";
COMMENT ON SCHEMA "of others" IS 'theirs';
CREATE TABLE "of others".mine (id int);
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1');
CREATE USER MAPPING FOR postgres SERVER elsewhere OPTIONS (user 'sari');
CREATE FOREIGN TABLE far (id int) SERVER elsewhere;
CREATE EXTENSION earthdistance CASCADE;
"""
IN_SCHEMAS = """
SELECT extname, nspname, obj_description(n.oid) FROM pg_extension
JOIN pg_namespace n ON n.oid = extnamespace ORDER BY 1
"""


@pytest.mark.deep
def test_an_extension_in_a_schema_of_its_own_comes_back_there(small, tmp_path, log):
    run_sql(small, OF_AN_EXTENSION)
    before = run_sql(small, IN_SCHEMAS)
    assert ("dblink", "of others", "theirs") in before
    context = context_on(small, tmp_path, log)
    restore(make("daily", context), context)
    assert run_sql(small, IN_SCHEMAS) == before
    assert run_sql(small, "SELECT srvname FROM pg_foreign_server") == [("elsewhere",)]
    assert "will refuse" not in (tmp_path / "backup.log").read_text()


UNRESTORABLE = {
    "CREATE FOREIGN DATA WRAPPER odd": "foreign-data wrapper odd",
    "CREATE TYPE odd;"
    " CREATE FUNCTION odd_in(cstring) RETURNS odd LANGUAGE internal STRICT AS 'int4in';"
    " CREATE FUNCTION odd_out(odd) RETURNS cstring LANGUAGE internal STRICT AS 'int4out';"
    " CREATE TYPE odd (INPUT = odd_in, OUTPUT = odd_out, LIKE = int4)": "type public.odd",
    "CREATE FUNCTION odd() RETURNS int LANGUAGE internal AS 'pg_backend_pid'": (
        "function public.odd()"
    ),
    "CREATE FUNCTION odd() RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT 1'": (
        "function public.odd()"
    ),
    "CREATE TYPE odd": "type public.odd",
    "CREATE AGGREGATE odd (float8 ORDER BY float8) (SFUNC = ordered_set_transition,"
    " STYPE = internal, FINALFUNC = percentile_cont_float8_final)": (
        "aggregate public.odd(double precision,double precision)"
    ),
    "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;"
    " CREATE FOREIGN TABLE odd (line text) SERVER files OPTIONS (filename '/etc/hostname')": (
        "foreign table public.odd"
    ),
    "CREATE OPERATOR FAMILY odd USING btree": "operator family public.odd USING btree",
    "CREATE ACCESS METHOD odd TYPE TABLE HANDLER heap_tableam_handler": "access method odd",
    "CREATE CAST (bigint AS timestamptz) WITHOUT FUNCTION": (
        "cast (bigint AS timestamp with time zone)"
    ),
}
RESTORABLE = """
CREATE TYPE span AS RANGE (subtype = int);
CREATE TYPE pair AS (a int, b int);
CREATE TYPE mood AS ENUM ('a');
CREATE DOMAIN few AS int CHECK (value < 9);
CREATE AGGREGATE total (int) (sfunc = int4pl, stype = int);
CREATE FUNCTION fine() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION quiet() RETURNS int LANGUAGE sql SET log_min_messages = 'panic' AS 'SELECT 1';
CREATE FUNCTION also() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
CREATE EXTENSION hstore;
"""


@pytest.mark.parametrize(("statement", "name"), UNRESTORABLE.items(), ids=UNRESTORABLE.values())
def test_what_no_restore_could_make_is_told_when_it_is_backed_up(
    small, tmp_path, log, statement, name
):
    run_sql(small, statement)
    context = context_on(small, tmp_path, log)
    make("daily", context)
    make("daily", context)
    said = (tmp_path / "backup.log").read_text()
    assert said.count("A restore will refuse what is in this database: ") == 1
    assert said.count(f" {name}: only a superuser can make it, by psql") == 1


FOREIGN = """
CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'sari', {options})
"""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("password_required 'false'", True),
        ("password_required 'OFF'", True),
        ("sslcert 'file', sslkey 'file'", True),
        ("password_required 'true', password 'x'", False),
    ],
)
def test_a_user_mapping_that_only_a_superuser_may_make_is_told(small, tmp_path, log, options, told):
    run_sql(small, FOREIGN.format(options=options))
    context = context_on(small, tmp_path, log)
    backup = make("daily", context)
    said = "user mapping for postgres on server far: only a superuser can make it, by psql"
    assert (said in log.path.read_text()) == told
    if not told:
        restore(backup, context)


OVER_EMPTY = """
CREATE MATERIALIZED VIEW low AS SELECT 1 AS one;
CREATE VIEW between AS SELECT * FROM low;
CREATE MATERIALIZED VIEW high AS SELECT * FROM "between";
CREATE MATERIALIZED VIEW other AS SELECT 2 AS two;
REFRESH MATERIALIZED VIEW low WITH NO DATA
"""


@pytest.mark.deep
def test_a_filled_view_over_one_that_is_empty_is_told(small, tmp_path, log):
    run_sql(small, OVER_EMPTY.replace("VIEW between", 'VIEW "between"'))
    context = context_on(small, tmp_path, log)
    make("daily", context)
    (line,) = (one for one in log.path.read_text().splitlines() if "will refuse" in one)
    assert line.endswith(
        "in this database: materialized view public.high: it is filled, and reads one that is not:"
        " REFRESH MATERIALIZED VIEW"
    )
    run_sql(small, "REFRESH MATERIALIZED VIEW high WITH NO DATA")
    restore(make("daily", context), context)


@pytest.mark.deep
def test_what_anybody_may_make_is_restored_and_told_of_to_nobody(small, tmp_path, log):
    run_sql(small, RESTORABLE)
    context = context_on(small, tmp_path, log)
    restore(make("daily", context), context)
    assert "will refuse" not in (tmp_path / "backup.log").read_text()


@pytest.mark.deep
def test_a_name_that_is_taken_is_in_nobodys_way_when_a_clock_was_set_back(small, tmp_path, log):
    context = context_on(small, tmp_path, log)
    backup = make("daily", context)
    replaced = {restore(backup, context, pre_restore_backup=False).old_database for _ in range(3)}
    assert len(replaced) == 3
    databases = {name for (name,) in run_sql(small, "SELECT datname FROM pg_database")}
    assert replaced <= databases


@pytest.mark.parametrize(
    "name", ["postgres", pytest.param("steak_kenangan", marks=pytest.mark.deep)]
)
def test_no_other_database_of_the_server_need_be_there(tmp_path, log, name):
    """The live one may have the name that one usually works from, or nobody kept that one."""
    with use_server(tmp_path / "server") as server:
        url, always = server.url.set(database=name), server.url.set(database="template1")
        other = {"postgres", "steak_kenangan"} - {name}
        run_sql(url, SMALL)
        run_sql(always, f"DROP DATABASE {other.pop()}")
        context = context_on(url, tmp_path / "backups", log)
        result = restore(make("daily", context), context)
        assert (result.database, result.rows) == (name, 452)
        found = {found for (found,) in run_sql(always, "SELECT datname FROM pg_database")}
        assert found == {name, result.old_database, "template0", "template1"}


@pytest.mark.deep
def test_a_database_that_lets_nobody_in_is_restored_as_it_was(small, tmp_path, log):
    """A superuser is let in all the same, and what works without its rights has to be too."""
    name, server = small.database, small.set(database="postgres")
    run_sql(small, "CREATE TABLE users (id int, username text, role text, active bool)")
    run_sql(small, "ALTER TABLE users ADD token_epoch int")
    run_sql(small, "INSERT INTO users VALUES (1, 'sari', 'admin', true, 1)")
    run_sql(server, f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    run_sql(server, f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    facts = f"SELECT datconnlimit, datacl::text FROM pg_database WHERE datname = '{name}'"
    before = run_sql(server, facts)
    context = context_on(small, tmp_path, log)
    restore(make("daily", context), context)
    assert run_sql(server, facts) == before
    assert run_sql(small, "SELECT token_epoch > 1 FROM users") == [(True,)]


@pytest.mark.deep
def test_a_template_is_one_again_and_what_it_has_replaced_can_be_dropped(small, tmp_path, log):
    name, server = small.database, small.set(database="postgres")
    run_sql(server, f"ALTER DATABASE {name} IS_TEMPLATE true")
    context = context_on(small, tmp_path, log, BACKUP_KEEP_BEFORE="1")
    backup = make("daily", context)
    facts = f"SELECT datname, datistemplate FROM pg_database WHERE datname LIKE '{name}%'"
    try:
        for _ in range(2):
            result = restore(backup, context, pre_restore_backup=False)
            assert sorted(run_sql(server, facts)) == [(name, True), (result.old_database, False)]
        rewrite(backup, tmp_path, row_counts={**SMALL_ROWS, "guests": 51})
        with pytest.raises(BackupError, match="guests: 50 instead of 51"):
            restore(context.storage.list_backups()[0], context, pre_restore_backup=False)
        assert sorted(run_sql(server, facts)) == [(name, True), (result.old_database, False)]
    finally:
        run_sql(server, f"ALTER DATABASE {name} IS_TEMPLATE false")
    assert "Not as it was" not in log.path.read_text()
