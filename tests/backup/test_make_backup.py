"""A backup is made: whole, proven, in its place, uploaded; then the old ones go."""

import gzip
import json
import stat
import subprocess
import threading
from pathlib import Path

import psutil
import psycopg2
import pytest

from healthkit.testing import wait_until
from posapp.backup.errors import BackupError, Busy, Refused
from posapp.backup.postgres import client, dump
from posapp.backup.postgres.client import PostgresClient, query
from posapp.backup.storage.folder import FolderStorage
from tests.backup.kit import (
    SMALL_ROWS,
    context_on,
    make,
    parts,
    restore,
    rewrite,
    run_sql,
)

NAME = "steak_kenangan_daily_20251226_120000.dump.gz"


def manifest_of(folder, name=NAME):
    return json.loads((folder / "daily" / f"{name}.manifest.json").read_text())


def names(folder, kind="daily"):
    return sorted(p.name for p in (folder / kind).glob("*.dump.gz*") if p.suffix != ".json")


def test_a_backup_is_gzip_of_the_dump_with_a_manifest_of_its_own_moment(small, tmp_path, log):
    backup = make("daily", context_on(small, tmp_path, log))
    path = tmp_path / "daily" / NAME
    assert backup.location == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = gzip.decompress(path.read_bytes()).decode()
    assert text.startswith("--\n-- PostgreSQL database dump\n--\n")
    manifest = manifest_of(tmp_path)
    assert manifest["row_counts"] == SMALL_ROWS
    assert manifest["file"] == NAME
    assert manifest["created_at"] == manifest["verified_at"] == "2025-12-26T05:00:00Z"
    assert manifest["size_bytes"] == path.stat().st_size
    assert manifest["sql_bytes"] == len(text.encode())
    assert manifest["roles"] == ["postgres"]
    assert (
        "CREATE ROLE postgres" in path.with_name(NAME.replace("dump.gz", "globals.sql")).read_text()
    )
    assert backup.intact
    assert parts(tmp_path) == []


def test_gunzip_reads_it(small, tmp_path, log):
    backup = make("daily", context_on(small, tmp_path, log))
    assert subprocess.run(["gzip", "-t", backup.location]).returncode == 0


def test_rows_that_come_while_it_is_dumped_are_neither_in_it_nor_counted(small, tmp_path, log):
    """A writer that never rests, and the counts still are those of the dump."""
    stop = threading.Event()

    def write():
        while not stop.is_set():
            run_sql(small, "INSERT INTO bills (guest, total) VALUES (1, 1), (2, 2), (3, 3)")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            backup = make("daily", context_on(small, tmp_path, log))
            sql = gzip.decompress(Path(backup.location).read_bytes()).decode()
            copied = sql.split("COPY public.bills ")[1].split("\n\\.\n")[0]
            assert backup.manifest.row_counts["bills"] == copied.count("\n")
    finally:
        stop.set()
        writer.join()


@pytest.mark.deep
def test_rotation_comes_after_a_new_one_and_only_then(small, tmp_path, log, clock):
    context = context_on(small, tmp_path, log)
    for _ in range(10):
        make("daily", context)
        clock.forward(days=1)
    assert names(tmp_path)[0].startswith("steak_kenangan_daily_20251228_")
    clock.forward(days=90)
    before = names(tmp_path)
    away = context_on(small.set(database="is_not_there"), tmp_path, log)
    with pytest.raises(BackupError, match="does not exist"):
        make("daily", away)
    assert names(tmp_path) == before
    make("daily", context)
    assert len(names(tmp_path)) == 1
    assert len(list((tmp_path / "daily").iterdir())) == 3  # with its manifest and its roles


def test_a_clock_that_is_set_back_overwrites_nothing(small, tmp_path, log):
    for _ in range(2):
        make("daily", context_on(small, tmp_path, log))
    assert names(tmp_path) == [NAME, NAME.replace("120000", "120001")]


def test_a_database_without_tables_is_refused_and_costs_no_backup(postgres, small, tmp_path, log):
    make("daily", context_on(small, tmp_path, log))
    empty = context_on(postgres.create(f"{small.database}_empty"), tmp_path, log)
    with pytest.raises(Refused, match="has no tables: is it the right one"):
        make("daily", empty)
    assert names(tmp_path) == [NAME]


def test_one_much_smaller_than_usual_is_kept_but_removes_nothing(small, tmp_path, log, clock):
    run_sql(small, "INSERT INTO guests SELECT n, md5(n::text) FROM generate_series(51, 9000) n")
    context = context_on(small, tmp_path, log)
    for _ in range(3):
        make("daily", context)
        clock.forward(hours=1)
    run_sql(small, "TRUNCATE guests CASCADE")
    clock.forward(days=30)
    with pytest.raises(BackupError, match=r"too small: .* it is kept"):
        make("daily", context)
    assert len(names(tmp_path)) == 4


def test_a_second_run_at_once_is_refused_as_busy(small, tmp_path, log):
    with (
        FolderStorage(tmp_path).lock(),
        pytest.raises(Busy, match="another backup or restore is running"),
    ):
        make("daily", context_on(small, tmp_path, log))


def test_what_a_killed_run_has_left_is_removed(small, tmp_path, log):
    daily = tmp_path / "daily"
    daily.mkdir()
    left = [
        f"{NAME}.part",
        f"{NAME.replace('1226', '1225')}.manifest.json",
        NAME.replace("1226", "1225").replace("dump.gz", "globals.sql"),
    ]
    for name in (*left, "notes.part", "somebody.globals.sql"):
        (daily / name).write_text("x")
    make("daily", context_on(small, tmp_path, log))
    assert not [name for name in left if (daily / name).exists()]
    assert (daily / "notes.part").exists()  # not ours
    assert (daily / "somebody.globals.sql").exists()


@pytest.mark.deep
def test_a_proof_outlives_the_backup_that_gave_it(small, tmp_path, log, clock):
    context = context_on(small, tmp_path, log)
    first = make("daily", context)
    proven = rewrite(first, tmp_path, restored_at=clock.now())
    for _ in range(12):
        clock.forward(days=1)
        last = make("daily", context)
    assert first.name not in [backup.name for backup in context.storage.list_backups()]
    assert last.manifest.last_restored_at == proven.restored_at
    assert last.manifest.first_created_at == first.manifest.created_at


def test_a_locked_table_is_waited_for_and_others_do_not_wait_for_us(small, tmp_path, log):
    """A migration holds a table for a moment; the backup begins meanwhile, and is right."""
    holder = psycopg2.connect(
        host=small.query["host"], user="postgres", dbname=small.database, port=small.query["port"]
    )
    with holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE bills IN ACCESS EXCLUSIVE MODE")
        made = []
        run = threading.Thread(
            target=lambda: made.append(make("daily", context_on(small, tmp_path, log)))
        )
        run.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        wait_until(lambda: run_sql(small, waiting)[0][0] >= 1)
    holder.close()
    run.join()
    assert made[0].manifest.row_counts["bills"] == 400


@pytest.mark.fault
@pytest.mark.parametrize(
    "held",
    [
        pytest.param("TABLE alembic_version", marks=pytest.mark.deep),
        pytest.param("TABLE rows", marks=pytest.mark.deep),
        pytest.param("MATERIALIZED VIEW sums", marks=pytest.mark.deep),
        "VIEW shown",
    ],
)
def test_what_stays_locked_ends_the_run_which_is_waited_for_by_all_later_ones(
    small, tmp_path, log, monkeypatch, held
):
    monkeypatch.setattr(client, "LOCK_WAIT", 1)
    monkeypatch.setattr(dump, "LOCK_WAIT", 1)
    run_sql(small, "CREATE TABLE rows (); CREATE VIEW shown AS SELECT 1 AS one")
    run_sql(small, "CREATE MATERIALIZED VIEW sums AS SELECT 1 AS one")
    context = context_on(small, tmp_path, log)
    with PostgresClient(small).connect() as holder:
        query(holder, "BEGIN")
        query(holder, f"DROP {held}")
        with pytest.raises(BackupError, match=r"timeout|stays locked by the server process \d+ "):
            make("daily", context)
    assert context.storage.list_backups() == []
    make("daily", context)


@pytest.mark.fault
def test_a_table_that_is_dropped_meanwhile_spoils_no_backup(small, tmp_path, log):
    """It goes after the snapshot and before the dump has its lock: the second attempt is right."""
    run_sql(small, "CREATE TABLE doomed (id int)")
    holder = psycopg2.connect(
        host=small.query["host"], user="postgres", dbname=small.database, port=small.query["port"]
    )
    with holder, holder.cursor() as cursor:
        cursor.execute("DROP TABLE doomed")
        made = []
        run = threading.Thread(
            target=lambda: made.append(make("daily", context_on(small, tmp_path, log)))
        )
        run.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        wait_until(lambda: run_sql(small, waiting)[0][0] >= 2)
    holder.close()
    run.join()
    assert made[0].manifest.row_counts == SMALL_ROWS
    assert "once more" in log.path.read_text()
    assert parts(tmp_path) == []


# What others may see


def command_line(process):
    """Nothing where it has ended meanwhile."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def test_the_password_stands_in_no_command_line(small, tmp_path, log, postgres):
    run_sql(small, "CREATE TABLE wait (id int)")
    secret = "rahasia-di-dapur"
    holder = psycopg2.connect(
        host=small.query["host"], user="postgres", dbname=small.database, port=small.query["port"]
    )
    context = context_on(small.set(password=secret), tmp_path, log)
    with holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE wait IN ACCESS EXCLUSIVE MODE")
        run = threading.Thread(target=lambda: make("daily", context))
        run.start()
        dumping = wait_until(
            lambda: [
                line
                for process in psutil.Process().children(recursive=True)
                if "pg_dump" in (line := command_line(process))
            ]
        )
        assert small.database in dumping[0]
        assert secret not in " ".join(dumping)
    holder.close()
    run.join()


@pytest.mark.deep
def test_no_program_is_under_the_timeouts_of_the_database(small, tmp_path, log, monkeypatch):
    """Their first statements come before they switch them off; on a busy machine a millisecond is
    over by then."""
    started, start = {}, PostgresClient.start

    def note(client, program, *arguments, options="", **streams):
        started[program] = options
        return start(client, program, *arguments, options=options, **streams)

    monkeypatch.setattr(PostgresClient, "start", note)
    names = ("statement_timeout", "lock_timeout", "idle_session_timeout")
    alter = (f"ALTER DATABASE {small.database} SET {name} = 1" for name in names)
    run_sql(small, ";".join(alter))  # in one session: the next one is under them
    context = context_on(small, tmp_path, log)
    restore(make("daily", context), context)
    assert {"pg_dump", "pg_dumpall", "psql"} <= set(started)
    for program, options in started.items():
        assert "statement_timeout=0" in options, program
        assert "idle_session_timeout=0" in options, program
