"""A restore: told before anything is touched, compared before it counts, swapped in a moment."""

import gzip
import json
import threading
from contextlib import suppress
from pathlib import Path

import psycopg2
import pyrage
import pytest
import requests

from healthkit.testing import wait_until
from posapp.backup import restore as restoring
from posapp.backup.create import make
from posapp.backup.errors import BackupError, Refused
from posapp.backup.postgres.cutover import swap
from posapp.backup.storage.folder import Folder
from posapp.backup.storage.lookup import find, verify_bytes
from tests.backup.kit import address, run_sql, settings_of, work_on

ROWS = "SELECT (SELECT count(*) FROM guests), (SELECT count(*) FROM bills)"


def agree(question):
    """Whoever is asked says yes."""


@pytest.fixture
def restore(small, tmp_path, journal):
    """Restores into `small` as the command does."""

    def run(what="latest", work=None, **options):
        work = work or work_on(small, tmp_path)
        settings = settings_of(tmp_path)
        entry = find(what, settings)
        if entry.manifest:
            verify_bytes(entry, Path(entry.where))
        with work.folder.locked():
            return restoring.restore(
                entry, Path(entry.where), work, journal, options.pop("confirm", agree), **options
            )

    return run


@pytest.fixture
def made(small, tmp_path, journal):
    return make("daily", work_on(small, tmp_path), journal)


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
    assert run_sql(small.set(database=done.before), ROWS) == [(51, 0)]
    assert done.before == f"{small.database}_before_20251226_130000"
    assert databases_of(small) == [small.database, done.before]
    (before,) = [e for e in Folder(tmp_path).entries() if e.name.kind == "pre-restore"]
    assert before.manifest.row_counts == {"bills": 0, "guests": 51}
    assert any(f'DROP DATABASE "{done.before}"' in line for line in restoring.summary(done))


def test_the_new_database_is_as_the_old_one_was(postgres, tmp_path, journal, restore, small):
    run_sql(small, f"ALTER DATABASE {small.database} SET work_mem = '7MB'")
    run_sql(small, f'ALTER DATABASE {small.database} SET search_path = public, "$user"')
    shape = (
        "SELECT datcollate, datctype, datlocprovider, datlocale, encoding, datdba FROM pg_database"
        " WHERE datname = current_database()"
    )
    before = run_sql(small, shape)
    make("daily", work_on(small, tmp_path), journal)
    restore()
    assert run_sql(small, shape) == before
    assert run_sql(small, "SHOW work_mem") == [("7MB",)]
    assert run_sql(small, "SHOW search_path") == [('public, "$user"',)]


def test_rows_that_are_not_those_of_the_manifest_leave_the_live_one(small, tmp_path, made, restore):
    path = tmp_path / "daily" / made.name.manifest
    content = json.loads(path.read_text())
    content["row_counts"]["bills"] += 1
    path.write_text(json.dumps(content))
    run_sql(small, "DELETE FROM bills WHERE id = 1")
    with pytest.raises(BackupError, match="bills: 400 instead of 401"):
        restore()
    assert run_sql(small, ROWS) == [(50, 399)]
    assert databases_of(small) == [small.database]


def test_sql_that_fails_leaves_the_live_one(small, tmp_path, made, restore):
    path = Path(made.where)
    text = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(text.replace(b"COPY public.bills", b"COPY public.nonsense")))
    (tmp_path / "daily" / made.name.manifest).unlink()
    with pytest.raises(BackupError, match=r'psql: .*relation "public.nonsense" does not exist'):
        restore(made.where)
    assert run_sql(small, ROWS) == [(50, 400)]
    assert databases_of(small) == [small.database]


def test_sql_that_breaks_off_leaves_the_live_one(small, tmp_path, made, restore):
    path = Path(made.where)
    text = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(text[: text.index(b"ALTER TABLE ONLY public.bills")]))
    (tmp_path / "daily" / made.name.manifest).unlink()
    with pytest.raises(BackupError, match="closing line is missing"):
        restore(made.where)
    assert databases_of(small) == [small.database]


def test_one_that_says_no_has_touched_nothing(small, tmp_path, made, restore):
    def refuse(question):
        assert "2025-12-26 12:00:00" in question
        raise Refused("no")

    with pytest.raises(Refused):
        restore(confirm=refuse)
    assert [entry.name.kind for entry in Folder(tmp_path).entries()] == ["daily"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"server_version": "19.1"}, "the backup needs 19 or newer"),
        ({"pg_dump_version": "21"}, "the backup needs 21 or newer"),
        ({"roles": ["koki", "postgres"]}, "missing here: koki;"),
        ({"extensions": ["postgis"]}, "not installed on the server: postgis"),
        ({"database_bytes": 10**18}, "the restored database needs about"),
    ],
)
def test_what_the_server_lacks_is_told_before_anything_is_touched(
    tmp_path, made, restore, change, told
):
    path = tmp_path / "daily" / made.name.manifest
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(Refused, match=told):
        restore()
    assert [entry.name.kind for entry in Folder(tmp_path).entries()] == ["daily"]


def test_a_role_that_may_not_do_it_is_told_so(small, tmp_path, made, restore):
    run_sql(small, f"CREATE ROLE pelayan_{small.database} LOGIN")
    try:
        work = work_on(small.set(username=f"pelayan_{small.database}"), tmp_path)
        with pytest.raises(Refused, match=r"must own the database .* and have CREATEDB"):
            restore(work=work)
    finally:
        run_sql(small, f"DROP ROLE pelayan_{small.database}")


def test_an_ordinary_owner_can_restore_and_owns_what_comes(postgres, tmp_path, journal, clock):
    """As on a server of somebody else's, where nobody is superuser."""
    postgres.execute("CREATE ROLE pemilik LOGIN CREATEDB")
    postgres.execute("CREATE DATABASE owned OWNER pemilik")
    url = postgres.url.set(database="owned", username="pemilik")
    try:
        run_sql(url, "CREATE TABLE t AS SELECT 1 AS n")
        work = work_on(url, tmp_path)
        entry = make("daily", work, journal)
        assert entry.manifest.roles == ("pemilik",)
        run_sql(url, "DELETE FROM t")
        with work.folder.locked():
            restoring.restore(entry, Path(entry.where), work, journal, agree)
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
    assert done.before is None
    assert run_sql(small, ROWS) == [(50, 400)]


def test_an_empty_live_database_needs_no_backup_first(small, postgres, tmp_path, made, restore):
    postgres.drop(small.database)
    postgres.create(small.database)
    restore()
    assert run_sql(small, ROWS) == [(50, 400)]
    assert [entry.name.kind for entry in Folder(tmp_path).entries()] == ["daily"]


def test_no_restore_without_its_backup_first_unless_one_says_so(small, tmp_path, made, restore):
    (tmp_path / "pre-restore").symlink_to("nowhere")
    run_sql(small, "DELETE FROM bills")
    with pytest.raises(BackupError, match="go on with --no-backup-first"):
        restore()
    assert run_sql(small, ROWS) == [(50, 0)]
    restore(backup_first=False)
    assert run_sql(small, ROWS) == [(50, 400)]


def test_what_a_killed_restore_has_left_is_dropped(small, postgres, made, restore):
    postgres.create(f"{small.database}_restore_20250101_000000")
    postgres.create(f"{small.database}_restored_by_hand")
    restore()
    left = databases_of(small)
    assert f"{small.database}_restore_20250101_000000" not in left
    assert f"{small.database}_restored_by_hand" in left


def test_an_encrypted_one_is_restored_with_its_key(small, tmp_path, journal):
    secret = pyrage.x25519.Identity.generate()
    work = work_on(small, tmp_path, key=secret.to_public(), identity=lambda: secret)
    entry = make("daily", work, journal)
    run_sql(small, "DELETE FROM bills")
    with work.folder.locked():
        restoring.restore(entry, Path(entry.where), work, journal, agree)
    assert run_sql(small, ROWS) == [(50, 400)]


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
    access = work_on(small, tmp_path).access
    with pytest.raises(BackupError, match="already exists"):
        swap(access, small.database, f"{small.database}_fresh", "postgres")
    assert run_sql(small, ROWS) == [(50, 0)]
    with pytest.raises(BackupError, match="does not exist"):
        swap(access, small.database, f"{small.database}_nowhere", f"{small.database}_before")
    assert run_sql(small, ROWS) == [(50, 0)]


# The whole way, with the tills running


def test_while_the_tills_run_they_are_told_to_come_back_and_then_see_the_restored_menu(
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
            answer = requests.get(f"{served.url}/api/v1/public/menu", timeout=20)
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
    wait_until(lambda: requests.get(f"{served.url}/api/v1/health", timeout=10).json()["success"])
