"""A restore: refused before anything is touched, compared before it counts, cut over at once."""

import gzip
import threading
from contextlib import suppress
from pathlib import Path

import psycopg2
import pyrage
import pytest
import requests

from healthkit.testing import wait_until
from posapp.backup import restore as restoring
from posapp.backup.errors import BackupError, Refused
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.postgres.cutover import cut_over
from posapp.backup.postgres.databases import UNFINISHED
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.storage.lookup import find_backup
from tests.backup.kit import (
    SMALL,
    SMALL_ROWS,
    address,
    agree,
    context_on,
    make,
    rewrite,
    run_sql,
    settings_of,
)
from tests.backup.kit import restore as restore_backup

ROWS = "SELECT (SELECT count(*) FROM guests), (SELECT count(*) FROM bills)"


@pytest.fixture
def restore(small, tmp_path, log):
    """Restores into `small` as the command does."""

    def run(what="latest", context=None, **options):
        context = context or context_on(small, tmp_path, log)
        backup = find_backup(what, settings_of(tmp_path))
        return restore_backup(backup, context, confirm_typed=agree, **options)

    return run


@pytest.fixture
def made(small, tmp_path, log):
    return make("daily", context_on(small, tmp_path, log))


def databases_of(small):
    """Names of databases that are `small` or stand beside it."""
    found = run_sql(small.set(database="postgres"), "SELECT datname FROM pg_database ORDER BY 1")
    return [name for (name,) in found if name.startswith(small.database)]


def test_the_restored_one_takes_the_place_of_the_live_one_which_is_kept(
    small, tmp_path, clock, made, restore
):
    run_sql(small, "DELETE FROM bills; INSERT INTO guests VALUES (99, 'Tamu baru')")
    clock.forward(hours=1)
    done = restore()
    assert run_sql(small, ROWS) == [(50, 400)]
    assert run_sql(small.set(database=done.old_database), ROWS) == [(51, 0)]
    assert done.old_database == f"{small.database}_before_20251226_130000"
    assert databases_of(small) == [small.database, done.old_database]
    (before,) = [e for e in FolderStorage(tmp_path).list_backups() if e.name.kind == "pre-restore"]
    assert before.manifest.row_counts == {**SMALL_ROWS, "bills": 0, "guests": 51}
    assert any(f'DROP DATABASE "{done.old_database}"' in line for line in restoring.summary(done))


SHAPE = """
SELECT datcollate, datctype, datlocprovider, datlocale, daticurules, encoding, dattablespace,
    pg_get_userbyid(datdba), datconnlimit, shobj_description(oid, 'pg_database'),
    ARRAY(SELECT (grantee, privilege_type, is_grantable)::text FROM aclexplode(datacl) ORDER BY 1),
    ARRAY(SELECT (setrole, setconfig)::text FROM pg_db_role_setting
          WHERE setdatabase = d.oid ORDER BY 1)
FROM pg_database d WHERE datname = '{}'
"""


def shape_of(url):
    """Asked from another database, whose settings are no hindrance."""
    return run_sql(url.set(database="postgres"), SHAPE.format(url.database))


@pytest.fixture
def unlike(small, postgres):
    """A database that is in every way unlike a new one."""
    name = small.database
    postgres.execute(f"CREATE ROLE pelayan_{name}")
    for statement in (
        "SET work_mem = '7MB'",
        'SET search_path = nowhere, "$user"',
        "SET default_transaction_read_only = on",
        "SET statement_timeout = 1",
        "SET lock_timeout = 1",
        "SET app.branch = 'it''s; DROP'",
        "CONNECTION LIMIT 41",
    ):
        postgres.execute(f"ALTER DATABASE {name} {statement}")
    postgres.execute(f"ALTER ROLE pelayan_{name} IN DATABASE {name} SET role = 'postgres'")
    postgres.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    postgres.execute(f"GRANT CONNECT ON DATABASE {name} TO pelayan_{name} WITH GRANT OPTION")
    postgres.execute(f"COMMENT ON DATABASE {name} IS 'the till''s'")
    yield small
    for (found,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
        if found.startswith(name):
            postgres.drop(found)
    postgres.execute(f"DROP ROLE pelayan_{name}")


def test_the_new_database_is_as_the_old_one_was(unlike, tmp_path, log, restore):
    before = shape_of(unlike)
    make("daily", context_on(unlike, tmp_path, log))
    restore()
    assert shape_of(unlike) == before
    assert "Not as it was" not in log.path.read_text()


@pytest.fixture
def sorted_apart(postgres):
    """A database with a locale of its own, in a tablespace of its own."""
    name, space = "sorted_apart", "apart"
    with PostgresClient(postgres.url).connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET allow_in_place_tablespaces = on")
        cursor.execute(f"CREATE TABLESPACE {space} LOCATION ''")
        cursor.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER builtin"
            f" BUILTIN_LOCALE 'C.UTF-8' ENCODING 'UTF8' TABLESPACE {space}"
        )
    url = postgres.url.set(database=name)
    run_sql(url, SMALL)
    yield url, space
    for (found,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
        if found.startswith(name):
            postgres.drop(found)
    run_sql(postgres.url, f"DROP TABLESPACE IF EXISTS {space}")


@pytest.mark.deep
def test_locale_and_tablespace_survive_and_what_cannot_is_said_before_anything_is_done(
    sorted_apart, postgres, tmp_path, log
):
    url, space = sorted_apart
    context, before = context_on(url, tmp_path, log), shape_of(url)
    made = make("daily", context)
    restore_backup(made, context)
    assert shape_of(url)[0][:10] == before[0][:10]
    postgres.drop(url.database)
    restore_backup(made, context)
    assert shape_of(url)[0][:10] == before[0][:10]

    for name in databases_of(url):
        postgres.drop(name)
    run_sql(postgres.url, f"DROP TABLESPACE {space}")

    def stop(question):
        assert f"Will not be as it was: the tablespace {space} is missing" in log.path.read_text()
        raise Refused("not now")

    with pytest.raises(Refused, match="not now"):
        restore_backup(made, context, confirm=stop)
    icu = {"provider": "i", "locale": "id-ID", "icu_rules": "&Z < sambal"}  # not in this build
    like = made.manifest.properties.model_copy(update=icu)
    rewrite(made, tmp_path, properties=like.model_dump())
    (odd,) = [one for one in context.storage.list_backups() if one.kind == "daily"]
    with pytest.raises(Refused, match=r"the server cannot sort by id-ID \(icu\)"):
        restore_backup(odd, context)
    assert databases_of(url) == []


def test_where_the_old_one_is_lost_the_backup_knows_how_it_was(
    unlike, postgres, tmp_path, log, restore
):
    before = shape_of(unlike)
    made = make("daily", context_on(unlike, tmp_path, log))
    postgres.drop(unlike.database)
    restore()
    assert shape_of(unlike) == before
    assert made.manifest.properties.connection_limit == 41


def test_rows_that_are_not_those_of_the_manifest_leave_the_live_one(small, tmp_path, made, restore):
    rewrite(made, tmp_path, row_counts={**SMALL_ROWS, "bills": 401})
    run_sql(small, "DELETE FROM bills WHERE id = 1")
    with pytest.raises(BackupError, match="bills: 400 instead of 401"):
        restore()
    assert run_sql(small, ROWS) == [(50, 399)]
    assert databases_of(small) == [small.database]


def test_sql_that_fails_leaves_the_live_one(small, tmp_path, made, restore):
    path = Path(made.location)
    text = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(text.replace(b"COPY public.bills", b"COPY public.nonsense")))
    (tmp_path / "daily" / made.name.manifest).unlink()
    with pytest.raises(BackupError, match=r'psql: .*relation "public.nonsense" does not exist'):
        restore(made.location, unsigned=True)
    assert run_sql(small, ROWS) == [(50, 400)]
    assert databases_of(small) == [small.database]


def test_sql_that_breaks_off_leaves_the_live_one(small, tmp_path, made, restore):
    path = Path(made.location)
    text = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(text[: text.index(b"ALTER TABLE ONLY public.bills")]))
    (tmp_path / "daily" / made.name.manifest).unlink()
    with pytest.raises(BackupError, match="closing line is missing"):
        restore(made.location, unsigned=True)
    assert databases_of(small) == [small.database]


def test_a_restore_that_is_not_confirmed_touches_nothing(small, tmp_path, made, restore):
    def refuse(question):
        assert "2025-12-26 12:00:00" in question
        raise Refused("no")

    with pytest.raises(Refused):
        restore(confirm=refuse)
    assert [backup.name.kind for backup in FolderStorage(tmp_path).list_backups()] == ["daily"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"server_version": "19.1"}, "the backup needs 19 or newer"),
        ({"pg_dump_version": "21"}, "the backup needs 21 or newer: pg_dump 21 has made it"),
        ({"roles": ["koki", "postgres"]}, "missing here: koki;"),
        ({"extensions": ["postgis"]}, "not installed on the server: postgis"),
        ({"database_bytes": 10**18}, "the restored database needs about"),
    ],
)
def test_a_server_that_lacks_something_refuses_before_anything_is_touched(
    tmp_path, made, restore, change, message
):
    rewrite(made, tmp_path, **change)
    with pytest.raises(Refused, match=message):
        restore()
    assert [backup.name.kind for backup in FolderStorage(tmp_path).list_backups()] == ["daily"]


def test_a_role_without_the_privileges_is_refused(small, tmp_path, log, made, restore):
    run_sql(small, f"CREATE ROLE pelayan_{small.database} LOGIN")
    try:
        context = context_on(small.set(username=f"pelayan_{small.database}"), tmp_path, log)
        with pytest.raises(Refused, match=r"must own the database .* and have CREATEDB"):
            restore(context=context)
    finally:
        run_sql(small, f"DROP ROLE pelayan_{small.database}")


def test_an_ordinary_owner_can_restore_and_owns_what_comes(postgres, tmp_path, log, clock):
    """As on a server of somebody else's, where nobody is superuser."""
    postgres.execute("CREATE ROLE pemilik LOGIN CREATEDB")
    postgres.execute("CREATE DATABASE owned OWNER pemilik")
    url = postgres.url.set(database="owned", username="pemilik")
    try:
        run_sql(url, f"{SMALL}; CREATE TABLE t AS SELECT 1 AS n")
        context = context_on(url, tmp_path, log)
        backup = make("daily", context)
        assert backup.manifest.roles == ("pemilik",)
        run_sql(url, "DELETE FROM t")
        restore_backup(backup, context)
        assert run_sql(
            url, "SELECT n, (SELECT tableowner FROM pg_tables WHERE tablename = 't') FROM t"
        ) == [(1, "pemilik")]
    finally:
        for (name,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
            if name.startswith("owned"):
                postgres.drop(name)
        postgres.execute("DROP ROLE pemilik")


def test_where_there_is_no_database_any_more_it_is_made(small, postgres, made, restore):
    postgres.drop(small.database)
    done = restore()
    assert done.old_database is None
    assert run_sql(small, ROWS) == [(50, 400)]


def test_an_empty_live_database_needs_no_backup_first(small, postgres, tmp_path, made, restore):
    postgres.drop(small.database)
    postgres.create(small.database)
    restore()
    assert run_sql(small, ROWS) == [(50, 400)]
    assert [backup.name.kind for backup in FolderStorage(tmp_path).list_backups()] == ["daily"]


def test_a_restore_needs_its_pre_restore_backup_unless_it_is_waived(small, tmp_path, made, restore):
    (tmp_path / "pre-restore").symlink_to("nowhere")
    run_sql(small, "DELETE FROM bills")
    with pytest.raises(BackupError, match="go on with --no-pre-restore-backup"):
        restore()
    assert run_sql(small, ROWS) == [(50, 0)]
    restore(pre_restore_backup=False)
    assert run_sql(small, ROWS) == [(50, 400)]


@pytest.mark.deep
def test_what_a_killed_restore_has_left_is_dropped(small, postgres, made, restore):
    ours = f"{small.database}_restore_20250101_000000"
    others = [
        f"{small.database}_restore_20250102_000000",  # without our mark
        f"{small.database}_branch2_restore_20250101_000000",
        f"{small.database}_restored_by_hand",
        f"{small.database}_restore_20250103_000000",  # somebody is in it
    ]
    for name in (ours, *others):
        postgres.create(name)
        if name != others[0]:
            postgres.execute(f"COMMENT ON DATABASE {name} IS '{UNFINISHED}'")
    with PostgresClient(small.set(database=others[-1])).connect():
        restore()
        left = databases_of(small)
    assert ours not in left
    assert set(others) <= set(left)


def test_an_encrypted_one_is_restored_with_its_key(small, tmp_path, log):
    secret = pyrage.x25519.Identity.generate()
    (tmp_path / "age.key").write_text(str(secret))
    context = context_on(small, tmp_path, log, None, secret.to_public(), tmp_path / "age.key")
    backup = make("daily", context)
    run_sql(small, "DELETE FROM bills")
    restore_backup(backup, context)
    assert run_sql(small, ROWS) == [(50, 400)]


@pytest.mark.deep
def test_clients_that_never_stop_connecting_do_not_hold_up_the_swap(
    small, postgres, tmp_path, made, restore
):
    """They connect, hold transactions open and come back at once; each sees the old database or
    the new one, whole, and gets in again."""
    stop, wrong = threading.Event(), []

    def hammer():
        while not stop.is_set():
            with suppress(psycopg2.OperationalError):
                rows = run_sql(small, ROWS)
                run_sql(small, "BEGIN; SELECT pg_sleep(0.01)")
                if rows not in ([(50, 400)], [(50, 7)]):
                    wrong.append(rows)

    run_sql(small, "DELETE FROM bills WHERE id > 7")
    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        restore()
        wait_until(lambda: run_sql(small, ROWS) == [(50, 400)])
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_swap_that_cannot_be_done_changes_neither_name(small, postgres, tmp_path):
    postgres.create(f"{small.database}_fresh", small.database)
    run_sql(small, "DELETE FROM bills")
    client, idle = PostgresClient(small), (lambda live: None, lambda: None)
    with pytest.raises(BackupError, match="already exists"):
        cut_over(client, small.database, f"{small.database}_fresh", "postgres", *idle)
    assert run_sql(small, ROWS) == [(50, 0)]
    with pytest.raises(BackupError, match="does not exist"):
        cut_over(
            client, small.database, f"{small.database}_nowhere", f"{small.database}_before", *idle
        )
    assert run_sql(small, ROWS) == [(50, 0)]


# The whole way, with the tills running


@pytest.mark.deep
def test_running_tills_get_503_with_retry_after_and_then_the_restored_menu(
    me, serve, postgres, template_database, tmp_path
):
    url = postgres.create("with_tills", template_database)
    environ = {
        "DATABASE_URL": address(url),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "BACKUP_LOG": str(tmp_path / "backup.log"),
        "HEALTHKIT_STORE": f"sqlite:///{tmp_path}/store.db",
    }
    made = me.run("backup", "daily", environ=environ)
    assert made.returncode == 0, made.stderr
    served = serve(url, WEB_CONCURRENCY="2")
    run_sql(url, "UPDATE products SET available = false")
    stop, answers = threading.Event(), []

    def ask():
        while not stop.is_set():
            answer = requests.get(f"{served.url}/api/v1/public/menu", timeout=60)
            answers.append((answer.status_code, answer.headers.get("Retry-After")))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    done = me.run("restore", "latest", "--skip-confirm", environ=environ)
    stop.set()
    for thread in threads:
        thread.join()
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("✅ Restore completed successfully!")
    assert {status for status, _ in answers} <= {200, 503}
    assert all(retry for status, retry in answers if status == 503)
    assert run_sql(url, "SELECT count(*) FROM products WHERE NOT available") == [(0,)]
    wait_until(lambda: requests.get(f"{served.url}/api/v1/health", timeout=60).json()["success"])
