"""A restore brings back more than rows: what else there is, is compared with the backup too."""

from contextlib import nullcontext

import pytest

from posapp.backup.errors import BackupError
from posapp.backup.loading import compare_contents
from posapp.backup.postgres.client import PostgresClient
from tests.backup.kit import context_on, make, restore, run_sql

BESIDES = """
CREATE EXTENSION pg_trgm;
CREATE SEQUENCE receipts START 100 INCREMENT 5;
SELECT nextval('receipts'), nextval('receipts');
CREATE SEQUENCE downwards INCREMENT -1 MAXVALUE 10 START 10;
SELECT nextval('downwards'), nextval('downwards');
CREATE MATERIALIZED VIEW totals AS SELECT guest, sum(total) FROM bills GROUP BY guest;
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS one WITH NO DATA;
CREATE TYPE course AS ENUM ('starter', 'main');
REVOKE USAGE ON SEQUENCE receipts FROM postgres;
CREATE FUNCTION rounded(n bigint) RETURNS bigint LANGUAGE sql AS 'SELECT n / 100 * 100';
CREATE SCHEMA books;
CREATE TABLE books.entries (id int GENERATED ALWAYS AS IDENTITY, secret text, shown text);
SELECT lo_from_bytea(4711, 'a picture of a steak');
GRANT SELECT ON bills, totals TO {role};
GRANT SELECT (shown) ON books.entries TO {role} WITH GRANT OPTION;
GRANT USAGE ON SCHEMA books TO {role};
GRANT SELECT ON LARGE OBJECT 4711 TO {role};
SET SESSION AUTHORIZATION {role};
GRANT SELECT (shown) ON books.entries TO PUBLIC;  -- by whoever has the grant option
RESET SESSION AUTHORIZATION;
REVOKE EXECUTE ON FUNCTION rounded FROM PUBLIC;
REVOKE USAGE ON TYPE course FROM PUBLIC;
REVOKE UPDATE ON guests FROM postgres;
ALTER TABLE books.entries OWNER TO {role};
"""
CHANGES = {
    "SELECT setval('receipts', 100)": "sequence public.receipts: at 100 by 5 instead of at 105",
    "SELECT setval('downwards', 10)": "sequence public.downwards: at 10 by -1 instead of at 9",
    "ALTER SEQUENCE receipts INCREMENT 1": "by 1 instead of",
    "SELECT setval('bills_id_seq', 1, false)": "sequence public.bills_id_seq: at None",
    "DROP SEQUENCE receipts": "sequence public.receipts: missing",
    "REFRESH MATERIALIZED VIEW totals WITH NO DATA": "totals: not populated instead of populated",
    "DROP MATERIALIZED VIEW unfilled": "materialized view public.unfilled: missing",
    "REVOKE SELECT ON bills FROM {role}": "rights on table public.bills: owner postgres instead",
    "REVOKE SELECT (shown) ON books.entries FROM {role}": "entries.shown: +PUBLIC:SELECT instead",
    "REVOKE USAGE ON SCHEMA books FROM {role}": "rights on schema books",
    "REVOKE SELECT ON LARGE OBJECT 4711 FROM {role}": "rights on large object 4711",
    "GRANT EXECUTE ON FUNCTION rounded TO PUBLIC": "rights on function public.rounded",
    "GRANT USAGE ON TYPE course TO PUBLIC": "rights on type public.course",
    "GRANT UPDATE ON guests TO postgres": "-postgres:UPDATE",
    "GRANT DELETE ON guests TO {role}": "+{role}:DELETE",
    "ALTER TABLE books.entries OWNER TO postgres": "owner postgres",
    "SELECT lo_unlink(4711)": "large objects: 0 instead of 1",
    "SELECT lo_from_bytea(0, 'one more')": "large objects: 2 instead of 1",
    "DROP EXTENSION pg_trgm": "extensions: pg_trgm missing",
}

OF_THE_SERVER = """
CREATE EXTENSION dblink;
CREATE EXTENSION postgres_fdw;
REVOKE EXECUTE ON FUNCTION dblink(text) FROM PUBLIC;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {role};
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION pg_sleep(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO {role};
"""
RIGHTS = """
WITH known (name, acl) AS (
    SELECT proname, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc
    WHERE proname IN ('dblink', 'pg_sleep', 'pg_ls_waldir') UNION ALL
    SELECT fdwname, coalesce(fdwacl, acldefault('F', fdwowner)) FROM pg_foreign_data_wrapper
    UNION ALL
    SELECT lanname, coalesce(lanacl, acldefault('l', lanowner)) FROM pg_language
)
SELECT name::text, grantee::regrole::text, privilege_type, is_grantable
FROM known, aclexplode(acl) ORDER BY 1, 2, 3
"""
AS_IT_WAS = """
SELECT setval('receipts', 105), setval('downwards', 9), setval('bills_id_seq', 400);
"""


@pytest.fixture
def role(small):
    """A role that may be granted anything in the database."""
    role = f"kasir_{small.database}"
    run_sql(small, f"CREATE ROLE {role}")
    yield role
    for (name,) in run_sql(small.set(database="postgres"), "SELECT datname FROM pg_database"):
        if name.startswith(small.database):
            run_sql(small.set(database=name), f"DROP OWNED BY {role}")
    run_sql(small.set(database="postgres"), f"DROP ROLE {role}")


@pytest.fixture
def besides(small, role):
    run_sql(small, BESIDES.format(role=role))
    return small, role


def test_rights_on_the_things_of_the_server_and_of_extensions_come_back(small, role, tmp_path, log):
    """They are not the loader's: what it grants or revokes there is nothing, or an error."""
    run_sql(small, OF_THE_SERVER.format(role=role))
    before = run_sql(small, RIGHTS)
    context = context_on(small, tmp_path, log)
    restore(make("daily", context), context)
    assert run_sql(small, RIGHTS) == before


@pytest.mark.deep
def test_all_that_there_is_besides_rows_comes_back_and_what_does_not_is_said(
    besides, tmp_path, log
):
    """Each kind is restored as it was; each change of one is named, and the restore refused."""
    url, role = besides
    context = context_on(url, tmp_path, log)
    backup = make("daily", context)
    run_sql(url, "SELECT nextval('receipts')")
    restore(backup, context)
    restored = PostgresClient(url)
    compare_contents(backup.name, backup.manifest, restored)
    for change, said in CHANGES.items():
        with restored.connect() as connection, connection.cursor() as cursor:
            connection.autocommit = False
            cursor.execute(change.format(role=role))
            one = _InTransaction(connection)
            with pytest.raises(BackupError) as refused:
                compare_contents(backup.name, backup.manifest, one)
            assert said.format(role=role) in str(refused.value), change
            connection.rollback()
            cursor.execute(AS_IT_WAS)  # a sequence is in no transaction
            connection.commit()
    compare_contents(backup.name, backup.manifest, restored)


class _InTransaction:
    """A client whose connection is one that has not committed what it changed."""

    def __init__(self, connection):
        self._connection = connection

    def connect(self):
        return nullcontext(self._connection)
