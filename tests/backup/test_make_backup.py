"""A backup is made: whole, proven, in its place, uploaded; then the old ones go."""

import gzip
import json
import stat
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg2
import pyrage
import pytest

from healthkit.testing import wait_until
from posapp.backup.errors import BackupError, Busy, Refused
from posapp.backup.model.manifest import Manifest
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.storage.lookup import find_backup
from posapp.backup.storage.s3 import PART, checksums
from tests.backup.kit import (
    SMALL_ROWS,
    context_on,
    in_bucket,
    make,
    parts,
    restore,
    rewrite,
    run_sql,
    settings_of,
    verify,
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


# What its bytes are worth


def broken(path, how):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= how
    path.write_bytes(bytes(content))


@pytest.fixture
def made(small, tmp_path, log):
    return make("daily", context_on(small, tmp_path, log))


def test_one_that_is_whole_is_verified(made, tmp_path):
    settings = settings_of(tmp_path)
    assert (
        find_backup("latest", settings)
        == find_backup(made.location, settings)
        == find_backup(NAME, settings)
    )
    verify(find_backup("latest", settings), settings)


def test_a_changed_bit_anywhere_is_found(made, tmp_path):
    path = Path(made.location)
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(BackupError):
            verify(made, settings_of(tmp_path))


@pytest.mark.parametrize("left", [0, 1, 10, 500, -1])
def test_a_truncated_one_is_found_and_is_not_the_latest(made, tmp_path, left):
    path = Path(made.location)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(BackupError):
        verify(made, settings_of(tmp_path))
    with pytest.raises(Refused, match="there is no good backup"):
        find_backup("latest", settings_of(tmp_path))


def test_one_that_breaks_off_but_is_whole_gzip_is_found(made, tmp_path):
    path = Path(made.location)
    sql = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(sql[: len(sql) // 2]))
    with pytest.raises(BackupError, match="closing line is missing"):
        verify(made, settings_of(tmp_path))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sha256", "0" * 64, "SHA-256"),
        ("size_bytes", 7, "bytes"),
        ("sql_bytes", 7, "bytes of SQL"),
        ("file", "other", "file"),
        ("kind", "weekly", "kind"),
    ],
)
def test_a_manifest_that_disagrees_is_found(made, tmp_path, key, value, message):
    path = tmp_path / "daily" / made.name.manifest
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(BackupError, match=f"its manifest disagrees: {message} "):
        verify(find_backup(made.location, settings_of(tmp_path)), settings_of(tmp_path))


def test_a_manifest_that_is_none_is_not_taken_for_one(made, tmp_path):
    path = tmp_path / "daily" / made.name.manifest
    path.write_text("{")
    with pytest.raises(BackupError, match="no manifest"):
        verify(find_backup(made.location, settings_of(tmp_path)), settings_of(tmp_path))


@pytest.mark.parametrize(
    "what",
    ["/etc/passwd", "../../etc/passwd", "s3://", "nothing.dump.gz", f"{NAME}\n", "-rf", "."],
)
def test_a_name_that_is_an_attack_is_refused(made, tmp_path, what):
    with pytest.raises(Refused):
        find_backup(what, settings_of(tmp_path))


# Encryption


@pytest.fixture
def key(tmp_path):
    """A key of age, and the file of its secret half."""
    secret = pyrage.x25519.Identity.generate()
    file = tmp_path / "age.key"
    file.write_text(f"# created: today\n{secret}\n")
    return secret, file


def test_an_encrypted_one_is_opened_by_its_key_alone(small, tmp_path, log, key):
    secret, file = key
    backup = make("daily", context_on(small, tmp_path, log, recipient=secret.to_public()))
    assert backup.location.endswith(".dump.gz.age")
    assert backup.manifest.encrypted
    content = Path(backup.location).read_bytes()
    assert content.startswith(b"age-encryption.org/v1")
    text = gzip.decompress(pyrage.decrypt(content, [secret]))
    assert b"PostgreSQL database dump complete" in text
    verify(backup, settings_of(tmp_path, BACKUP_AGE_IDENTITY=str(file)))
    file.write_text(str(pyrage.x25519.Identity.generate()))
    with pytest.raises(BackupError, match="does not open it"):
        verify(backup, settings_of(tmp_path, BACKUP_AGE_IDENTITY=str(file)))
    with pytest.raises(Refused, match="BACKUP_AGE_IDENTITY has to name"):
        verify(backup, settings_of(tmp_path))


def test_a_changed_bit_in_an_encrypted_one_is_found(small, tmp_path, log, key):
    secret, file = key
    backup = make("daily", context_on(small, tmp_path, log, recipient=secret.to_public()))
    path = Path(backup.location)
    whole = path.read_bytes()
    settings = settings_of(tmp_path, BACKUP_AGE_IDENTITY=str(file))
    for at in range(0, len(whole), max(1, len(whole) // 20)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(BackupError):
            verify(backup, settings)


# S3


def test_an_upload_is_verified_and_recorded_in_the_manifest(small, tmp_path, log, s3):
    backup = make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert s3.keys() == [f"daily/{file}" for file in sorted(in_bucket(backup).files)]
    assert manifest_of(tmp_path)["uploaded_at"] == "2025-12-26T05:00:00Z"
    there = find_backup(f"s3://{s3.name}/daily/{NAME}", settings_of(tmp_path, **s3.environ))
    assert there.intact
    assert there.manifest == Manifest.parse(
        (tmp_path / "daily" / backup.name.manifest).read_bytes()
    )
    verify(there, settings_of(tmp_path, **s3.environ))


@pytest.mark.deep
def test_one_of_several_parts_is_uploaded_and_its_checksum_compared(small, tmp_path, log, s3):
    run_sql(
        small,
        "CREATE TABLE noise AS SELECT string_agg(gen_random_uuid()::text, '') t"
        " FROM generate_series(1, 500000) n GROUP BY n % 5000",
    )
    backup = make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert backup.size > PART
    head = s3.client.head_object(Bucket=s3.name, Key=in_bucket(backup).key)
    assert head["ETag"].strip('"') == checksums(Path(backup.location))[1]
    assert head["ETag"].strip('"').endswith("-2")


@pytest.mark.deep
def test_rotation_holds_for_s3_too(small, tmp_path, log, clock, s3):
    context = context_on(small, tmp_path, log, s3.bucket())
    for _ in range(10):
        make("daily", context)
        clock.forward(days=1)
    local = [in_bucket(backup) for backup in FolderStorage(tmp_path).list_backups()]
    assert set(s3.keys()) == {name.key_of(file) for name in local for file in name.files}
    assert len(local) == 8


@pytest.mark.deep
def test_a_failed_upload_keeps_the_file_and_the_next_run_brings_it(small, tmp_path, log, clock, s3):
    away = context_on(small, tmp_path, log, s3.bucket("http://127.0.0.1:1", timeout=1, attempts=1))
    with pytest.raises(BackupError, match=r"not uploaded: .* the local file is kept"):
        make("daily", away)
    assert manifest_of(tmp_path)["uploaded_at"] is None
    assert manifest_of(tmp_path)["s3_expected"] is True
    clock.forward(days=1)
    make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert len(s3.keys()) == 6
    assert manifest_of(tmp_path)["uploaded_at"] is not None


def test_those_before_restores_stay_at_home(small, tmp_path, log, s3):
    make("pre-restore", context_on(small, tmp_path, log, s3.bucket()))
    assert s3.keys() == []


def test_strange_keys_in_the_bucket_are_left_alone(small, tmp_path, log, clock, s3):
    for key in ("daily/../../x", "daily/notes.txt", f"weekly/{NAME}", f"daily/deep/{NAME}"):
        s3.client.put_object(Bucket=s3.name, Key=key, Body=b"x")
    clock.moment = datetime(2030, 1, 1, tzinfo=UTC)
    make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert len(s3.keys()) == 7


def test_uploads_that_a_killed_run_has_begun_are_ended_after_a_day(small, tmp_path, log, clock, s3):
    ours, other = f"daily/{NAME}", "photos/steak.jpg"
    for key in (ours, other):
        s3.client.create_multipart_upload(Bucket=s3.name, Key=key)
    clock.moment = s3.client.list_multipart_uploads(Bucket=s3.name)["Uploads"][0]["Initiated"]
    assert s3.bucket().abort_stale_uploads(clock.now()) == 0
    clock.forward(days=2)
    make("daily", context_on(small, tmp_path, log, s3.bucket()))
    left = s3.client.list_multipart_uploads(Bucket=s3.name)["Uploads"]
    assert [upload["Key"] for upload in left] == [other]


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


def test_no_program_is_under_the_timeouts_of_the_database(small, tmp_path, log, monkeypatch):
    """Their first statements come before they switch them off; on a busy machine a millisecond is
    over by then."""
    started, start = {}, PostgresClient.start

    def note(client, program, *arguments, options="", **streams):
        started[program] = options
        return start(client, program, *arguments, options=options, **streams)

    monkeypatch.setattr(PostgresClient, "start", note)
    for name in ("statement_timeout", "lock_timeout", "idle_session_timeout"):
        run_sql(small, f"ALTER DATABASE {small.database} SET {name} = 1")
    context = context_on(small, tmp_path, log)
    restore(make("daily", context), context)
    assert {"pg_dump", "pg_dumpall", "psql"} <= set(started)
    for program, options in started.items():
        assert "statement_timeout=0" in options, program
        assert "idle_session_timeout=0" in options, program
