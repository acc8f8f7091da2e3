"""Whoever can write to the bucket can write a dump and a manifest: neither is taken, nor run."""

import gzip
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from posapp.backup.errors import BackupError, Refused
from posapp.backup.loading import load_backup
from posapp.backup.model.backup import Backup
from posapp.backup.model.contents import Contents
from posapp.backup.model.manifest import Manifest
from posapp.backup.model.properties import DatabaseProperties
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.postgres.dump_filter import DumpFilter
from posapp.backup.signing import SigningKey
from posapp.backup.storage.lookup import find_backup
from posapp.cli import main
from tests.backup.kit import (
    KEY,
    NOON,
    address,
    agree,
    context_on,
    environment,
    make,
    manifest_for,
    restore,
    rewrite,
    run_sql,
    settings_of,
)
from tests.backup.test_model import NAME

END = "\n--\n-- PostgreSQL database dump complete\n--\n"
ROLES = "SELECT rolname, rolsuper, rolpassword FROM pg_authid WHERE rolname !~ '^pg_' ORDER BY 1"
EVIL = (
    "CREATE FUNCTION evil() RETURNS text LANGUAGE plpgsql AS"
    " 'BEGIN COPY (SELECT 1) TO PROGRAM ''touch {}''; RETURN 1; END';"
)


# What a foreign dump may do


@pytest.fixture(scope="module")
def foreign(postgres):
    yield postgres.create("foreign_dumps")
    postgres.drop("foreign_dumps")


@pytest.fixture
def load(foreign, tmp_path):
    """Loads SQL as a backup that nobody has signed, into a database that is empty."""
    url = foreign
    run_sql(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    run_sql(url, "ALTER SCHEMA public OWNER TO pg_database_owner")

    def run(sql):
        path = tmp_path / str(NAME)
        path.write_bytes(gzip.compress(f"{sql}{END}".encode()))
        backup = Backup(NAME, path.stat().st_size, None, str(path))
        with path.open("rb") as file:
            return load_backup(PostgresClient(url), file, backup, None, lambda done: None)

    return run


@pytest.fixture
def open_folder():
    """A folder that the server could write to."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


HOSTILE = [
    "\\! touch {}",
    "SELECT 1; \\! touch {}",
    "\\o {}\nSELECT 1;",
    "SELECT 1 \\g {}",
    "SELECT 1 \\g |touch {}",
    "\\unrestrict 1\n\\! touch {}",
    "\\unrestrict\n\\! touch {}",
    "\\restrict abc\n\\! touch {}\n\\unrestrict abc",
    "\\set x `touch {}`",
    "\\copy (SELECT 1) TO '{}'",
    "\\copy (SELECT 1) TO PROGRAM 'touch {}'",
    "\\i {}",
    "\\connect postgres",
    "\\getenv password PGPASSWORD",
    "COPY (SELECT 1) TO '{}';",
    "COPY (SELECT 1) TO PROGRAM 'touch {}';",
    "CREATE TABLE t (x text); COPY t FROM PROGRAM 'touch {}';",
    "SELECT pg_read_file('/etc/passwd');",
    "SELECT lo_export(lo_from_bytea(0, 'x'), '{}');",
    "RESET ROLE; COPY (SELECT 1) TO '{}';",
    "SET ROLE postgres;",
    "SET ROLE NONE; CREATE ROLE musuh SUPERUSER;",
    "RESET SESSION AUTHORIZATION; CREATE ROLE musuh SUPERUSER;",
    "SET SESSION AUTHORIZATION postgres;",
    "CREATE ROLE musuh SUPERUSER;",
    "ALTER ROLE CURRENT_USER SUPERUSER;",
    "ALTER ROLE postgres PASSWORD 'musuh';",
    "ALTER SYSTEM SET archive_command = 'touch {}';",
    "CREATE DATABASE musuh;",
    "DROP DATABASE pos_template;",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '{}', 'f';",
    "LOAD '{}';",
    "ALTER TABLE x OWNER TO postgres; CREATE ROLE musuh; ALTER TABLE x OWNER TO postgres;",
    # What is done afterwards, by whoever may, is for owners alone.
    "ALTER ROLE postgres PASSWORD 'musuh' -- OWNER TO postgres;",
    "ALTER ROLE postgres PASSWORD 'musuh' /* OWNER TO postgres;\n*/;",
    "ALTER DATABASE pos_template RENAME TO musuh -- OWNER TO postgres;",
    f"{EVIL}CREATE TABLE t AS SELECT 'x' AS c;\n"
    "ALTER TABLE t ALTER COLUMN c TYPE text USING evil(), OWNER TO postgres;",
    "DO $$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch {}'''; END $$;",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_a_foreign_dump_runs_nothing_and_reads_nothing(load, postgres, open_folder, sql):
    made = open_folder / "made"
    roles = run_sql(postgres.url, ROLES)
    databases = run_sql(postgres.url, "SELECT count(*) FROM pg_database")
    with pytest.raises(BackupError):
        load(sql.replace("{}", str(made)))
    assert not made.exists()
    assert run_sql(postgres.url, ROLES) == roles
    assert run_sql(postgres.url, "SELECT count(*) FROM pg_database") == databases


AFTERWARDS = {
    "a trigger on a row that is written": "CREATE TABLE users (token_epoch int);"
    "INSERT INTO users VALUES (1); CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM evil(); RETURN NEW; END'; CREATE TRIGGER t BEFORE UPDATE ON users"
    " FOR EACH ROW EXECUTE FUNCTION fired();",
    "a view in the place of a table": "ALTER TABLE alembic_version RENAME TO other;"
    "CREATE VIEW alembic_version AS SELECT version_num || evil() AS version_num FROM other;",
    "a rule for entries of the log": "CREATE TABLE audit_log (at timestamptz, action text,"
    " entity text, entity_id int, details jsonb); CREATE RULE r AS ON INSERT TO audit_log"
    " DO ALSO SELECT evil();",
    "an operator that names are compared by": "CREATE FUNCTION unlike(name, name) RETURNS bool"
    " LANGUAGE sql AS 'SELECT evil() IS NULL';"
    "CREATE OPERATOR !~~ (LEFTARG = name, RIGHTARG = name, FUNCTION = unlike);",
}


@pytest.mark.parametrize("what", AFTERWARDS)
def test_what_a_foreign_dump_brings_runs_nothing_after_the_load(
    small, tmp_path, log, made, open_folder, what
):
    """Rows are counted, read and written then, and each may be the dump's own doing."""
    path, done = Path(made.location), open_folder / "made"
    sql = gzip.decompress(path.read_bytes()).decode()
    brought = f"SET search_path = public;\n{EVIL}\n{AFTERWARDS[what]}{END}"
    path.write_bytes(gzip.compress(sql.replace(END, brought.replace("{}", str(done))).encode()))
    unsigned = replace(made, manifest=None)
    with suppress(BackupError):
        restore(unsigned, context_on(small, tmp_path, log), unsigned=True, confirm_typed=agree)
    assert not done.exists()
    assert run_sql(small, "SELECT count(*) FROM pg_roles WHERE rolname ~ '^posapp_load_'") == [(0,)]


def test_the_role_that_loads_is_gone_and_owns_nothing_afterwards(load, postgres, foreign):
    roles = "SELECT rolname FROM pg_roles ORDER BY 1"
    before = run_sql(postgres.url, roles)
    assert load("CREATE TABLE t AS SELECT 1 AS n;\nALTER TABLE t OWNER TO postgres;\n") == 1
    assert run_sql(foreign, "SELECT tableowner FROM pg_tables WHERE tablename = 't'") == [
        ("postgres",)
    ]
    assert run_sql(postgres.url, roles) == before


def test_a_program_is_given_nothing_of_the_environment_but_what_it_needs(small):
    secret = {"JWT_SECRET": "x", "BACKUP_S3_SECRET_KEY": "x", "PGOPTIONS": "x", "PYTHONPATH": "/x"}
    with environment(**secret):
        program = PostgresClient(small.set(password="rahasia")).start("psql", stdin=-1)
        try:
            given = psutil.Process(program.pid).environ()
        finally:
            program.communicate()
    assert set(given) - {"LC_CTYPE"} <= {
        *("PATH", "HOME", "LANG", "LC_ALL", "LC_MESSAGES", "TZ", "TMPDIR"),
        *("LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "PGPASSWORD"),
    }


# What the filter leaves out of a dump

LINES = [
    "ALTER TABLE public.bills OWNER TO postgres;\n",
    'ALTER FUNCTION public.f(a integer) OWNER TO "Kepala Dapur";\n',
    'ALTER TABLE "My;\n""Schema"".".x OWNER TO "a;b";\n',
    "ALTER AGGREGATE public.a(integer ORDER BY text[], numeric) OWNER TO x;\n",
    "ALTER OPERATOR public.-~ (integer, NONE) OWNER TO x;\n",
    "ALTER OPERATOR FAMILY public.f USING btree OWNER TO x;\n",
    "ALTER TEXT SEARCH CONFIGURATION public.c OWNER TO x;\n",
    "ALTER LARGE OBJECT 4711 OWNER TO x;\n",
    'ALTER DEFAULT PRIVILEGES FOR ROLE "a;b" IN SCHEMA c GRANT SELECT ON TABLES TO x;\n',
    "\\restrict abcDEF123\n",
    "\\unrestrict abcDEF123\n",
    "COMMENT ON EXTENSION hstore IS 'pairs';\n",
    "COMMENT ON EXTENSION hstore IS 'pairs;\nit''s many';\n",
    "SET transaction_timeout = 0;\n",
]
KEPT = [
    "CREATE TABLE public.bills (id int);\n",
    "--\n-- Name: it's; Type: TABLE; Owner: x\n--\n\n",
    "COMMENT ON TABLE x IS 'two\nALTER TABLE public.bills OWNER TO postgres;\nlines; it''s';\n",
    "CREATE FUNCTION f() RETURNS int AS $_$\nALTER TABLE a OWNER TO b;\n$$ ' \\restrict x\n$_$;\n",
    "COPY public.bills (id) FROM stdin;\n1\nALTER TABLE a OWNER TO b;\n\\\\restrict x\n'\n\\.\n",
    "COPY public.empty (id) FROM stdin;\n\\.\n",
    'COPY public."a;\n""b" ("c;d", e) FROM stdin;\n\'\nALTER TABLE a OWNER TO b;\n\\.\n',
    "COPY public.none  FROM stdin;\n\n\n\\.\n",
    "ALTER ROLE postgres PASSWORD 'x' -- OWNER TO x;\n",
    "ALTER TABLE a ALTER b TYPE int USING f(), OWNER TO x;\n",
    "ALTER TABLE a RENAME TO b OWNER TO x;\n",
    "ALTER FUNCTION f(int) RESET ALL (a) OWNER TO x;\n",
    "ALTER OPERATOR --~ (int) OWNER TO x;\n",
    'ALTER TABLE "two\nlines" ADD c int;\n',
    'CREATE TABLE "odd ; name" (x int);\n',
    "ALTER TABLE ONLY public.bills ADD CONSTRAINT x PRIMARY KEY (id);\n",
]


@given(
    st.lists(st.sampled_from([*((line, "") for line in LINES), *((kept, kept) for kept in KEPT)])),
    st.lists(st.integers(0, 400)),
)
def test_the_filter_leaves_out_whole_statements_alone_wherever_a_block_ends(parts, cuts):
    text = "".join(part for part, _ in parts).encode()
    passed, out, at = DumpFilter(), b"", 0
    for cut in sorted({min(cut, len(text)) for cut in cuts} | {len(text)}):
        out += passed.feed(text[at:cut])
        at = cut
    assert out + passed.finish() == "".join(kept for _, kept in parts).encode()
    assert passed.afterwards == [part for part, _ in parts if part in LINES[:9]]


# What is signed


@pytest.fixture
def made(small, tmp_path, log):
    return make("daily", context_on(small, tmp_path, log))


CHANGES = {
    "row_counts": {"t": 2},
    "identity": "f" * 16,
    "sha256": "1" * 64,
    "globals_sha256": "1" * 64,
    "schema_revision": "0001",
    "extensions": ("plpython3u",),
    "roles": ("musuh",),
    "verified_at": NOON.replace(year=2030),
    "restored_at": NOON,
    "database": "other",
    "created_at": NOON.replace(year=2030),
    "restored_on": "another server",
    "restored_seconds": 1.0,
}


@pytest.mark.parametrize("field", sorted(set(Manifest.model_fields) - {"signature"}))
def test_the_signature_covers_every_fact_of_a_manifest(field):
    key = SigningKey(KEY)
    signed = key.sign(manifest_for(NAME, identity="0" * 16, globals_sha256="0" * 64))
    assert key.has_signed(Manifest.parse(signed.dump()))
    value = getattr(signed, field)
    other = CHANGES.get(field) or (
        not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else None
    )
    if other is None:
        other = NOON if field.endswith("_at") and value != NOON else f"{value}x"
    if field == "properties":
        other = DatabaseProperties(owner="musuh", encoding="UTF8", collate="C", ctype="C")
    if field == "contents":
        other = Contents(
            sequences={}, large_objects=0, materialized={}, rights={}, extensions=("musuh",)
        )
    assert other != value
    assert not key.has_signed(signed.model_copy(update={field: other}))
    assert not SigningKey(KEY[::-1]).has_signed(signed)


def test_what_a_later_version_adds_to_manifests_spoils_no_signature():
    key = SigningKey(KEY)
    written = json.loads(key.sign(manifest_for(NAME)).dump())
    assert key.has_signed(Manifest.parse(json.dumps({**written, "later": 1}).encode()))


def test_latest_is_the_newest_that_is_signed(small, tmp_path, log, clock, made):
    context = context_on(small, tmp_path, log)
    clock.forward(hours=1)
    newer = make("daily", context)
    rewrite(newer, tmp_path, signed=False, row_counts={})
    settings = settings_of(tmp_path)
    assert find_backup("latest", settings, context.own, context.is_good).name == made.name
    rewrite(made, tmp_path, signed=False, row_counts={})
    with pytest.raises(Refused, match="2 are not signed by BACKUP_KEY"):
        find_backup("latest", settings, context.own, context.is_good)


def test_what_is_not_signed_is_restored_only_when_its_name_is_typed(small, tmp_path, log, made):
    context = context_on(small, tmp_path, log)
    run_sql(small, "DELETE FROM bills")
    rewrite(made, tmp_path, signed=False, posapp_version="9")
    backup = find_backup(made.location, settings_of(tmp_path))
    with pytest.raises(Refused, match="--unsigned restores it all the same"):
        restore(backup, context, confirm_typed=agree)
    with pytest.raises(Refused, match="nobody has signed it"):
        restore(backup, context, unsigned=True)
    assert run_sql(small, "SELECT count(*) FROM bills") == [(0,)]
    restore(backup, context, unsigned=True, confirm_typed=agree)
    assert run_sql(small, "SELECT count(*) FROM bills") == [(400,)]


def test_a_mark_does_not_sign_what_was_not_signed(made):
    key = SigningKey(KEY)
    unsigned = made.manifest.model_copy(update={"signature": None})
    assert not key.has_signed(key.resign(unsigned, unsigned))
    assert key.has_signed(key.resign(made.manifest, made.manifest))


def test_what_is_restored_is_what_was_verified(small, tmp_path, log, made):
    """Between the question and its answer somebody puts another dump into its place."""
    other = gzip.compress(f"CREATE TABLE musuh (x int);{END}".encode())

    def swap(question):
        path = Path(made.location)
        path.rename(path.with_suffix(".old"))
        path.write_bytes(other)

    restore(made, context_on(small, tmp_path, log), confirm=swap)
    assert run_sql(small, "SELECT to_regclass('musuh'), count(*) FROM bills") == [(None, 400)]


def test_what_is_changed_in_its_place_meanwhile_is_not_swapped_in(small, tmp_path, log, made):
    other = gzip.compress(f"CREATE TABLE musuh (x int);{END}".encode())

    def swap(question):
        Path(made.location).write_bytes(other)

    with pytest.raises(BackupError, match="is not, or no longer, what its manifest says"):
        restore(made, context_on(small, tmp_path, log), confirm=swap)
    assert run_sql(small, "SELECT to_regclass('musuh'), count(*) FROM bills") == [(None, 400)]


@pytest.fixture
def posapp(small, tmp_path):
    environ = {
        "DATABASE_URL": address(small),
        "BACKUP_DIR": str(tmp_path),
        "BACKUP_LOG": str(tmp_path / "backup.log"),
        "HEALTHKIT_STORE": f"sqlite:///{tmp_path}/store.db",
        "POS_DATA_DIR": str(tmp_path / "var"),
    }

    def run(*arguments, answers="", **more):
        done = CliRunner(env={**environ, **more}).invoke(main, list(arguments), input=answers)
        assert done.exc_info is None or isinstance(done.exception, SystemExit | None), done
        return done.exit_code, done.stdout + done.stderr

    return run


def test_verify_restore_and_drill_refuse_what_is_not_signed(posapp, made, tmp_path):
    rewrite(made, tmp_path, signed=False, posapp_version="9")
    for command in (["backup", "verify"], ["drill"], ["restore", "--skip-confirm"]):
        code, output = posapp(*command, made.location)
        assert code in (1, 2)
        assert "not signed by BACKUP_KEY" in output
    code, output = posapp("drill", made.location, "--unsigned", answers="yes\n")
    assert code == 2
    assert "not confirmed by its name" in output


def test_a_copy_of_the_key_is_tried_on_the_newest_backup(posapp, made, tmp_path):
    copy = tmp_path / "copy.key"
    copy.write_text(f"{KEY}\n")
    assert posapp("backup", "verify", "--key-file", str(copy))[0] == 0
    copy.write_text(f"{KEY[::-1]}\n")
    code, output = posapp("backup", "verify", made.location, "--key-file", str(copy))
    assert code == 1
    assert "not signed by BACKUP_KEY" in output
    for content in (b"short", b"\xff" * 40, b"", b"a" * 64):
        copy.write_bytes(content)
        assert posapp("backup", "verify", "--key-file", str(copy))[0] == 2
    assert posapp("backup", "verify", "--key-file", str(tmp_path / "nowhere.key"))[0] == 2


def test_outside_production_a_key_is_made_once_and_in_production_it_is_asked_for(posapp, tmp_path):
    without = {"BACKUP_KEY": ""}
    assert posapp("backup", "daily", **without)[0] == 0
    key = tmp_path / "var" / "backup-key"
    assert oct(key.stat().st_mode & 0o777) == "0o600"
    assert posapp("backup", "verify", **without)[0] == 0
    production = {"ENVIRONMENT": "production", "JWT_SECRET": os.urandom(32).hex(), **without}
    code, output = posapp("backup", "daily", **production)
    assert code == 2
    assert "BACKUP_KEY: missing; make one with: openssl rand -hex 32" in output
    code, output = posapp("backup", "daily", BACKUP_KEY="changeme")
    assert code == 2
    assert "BACKUP_KEY: too short" in output
