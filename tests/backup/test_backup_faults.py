"""Whatever is killed, full, cut or gone: no backup is lost, and none is taken for one."""

import os
import shutil
import signal
from pathlib import Path

import psutil
import psycopg2
import pytest

from healthkit.testing import wait_until
from posapp.backup import compression
from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.backup import newest_intact
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.storage.lookup import find_backup
from posapp.runtime.postgres import use_server
from tests.backup.kit import (
    SMALL,
    address,
    context_on,
    in_bucket,
    make,
    parts,
    run_sql,
    settings_of,
    verify,
)

pytestmark = pytest.mark.fault

NOISE = (
    "CREATE TABLE noise AS SELECT n, (SELECT string_agg(gen_random_uuid()::text, '')"
    " FROM generate_series(1, 100) WHERE n > 0) FROM generate_series(1, {}) n"
)
"""About 3.6 KB a row, which gzip does not make much smaller."""


def jobs(small, folder, s3=None, **more):
    job = {"url": address(small), "folder": str(folder), **more}
    return job | ({"bucket": s3.name, "endpoint": s3.endpoint} if s3 else {})


def all_whole(place, settings):
    """Every backup there that calls itself good is; the good ones."""
    good = [backup for backup in place.list_backups() if backup.intact]
    for backup in good:
        verify(backup, settings)
    return good


def whole_in(bucket):
    """The good ones in a bucket, each of which has the bytes that its manifest tells."""
    good = [backup for backup in bucket.list_backups() if backup.intact]
    for backup in good:
        with bucket.open(backup) as file:
            assert compression.checksum(file) == (backup.manifest.sha256, backup.size)
    return good


# Killed


AT_STEPS = pytest.mark.parametrize(
    "every", [False, pytest.param(True, marks=pytest.mark.deep)], ids=["some", "every_time"]
)
"""Some of the steps, or every one each time that it is taken."""


def chosen(steps, every):
    once = [step for step in steps if not step.endswith(")")]
    return steps if every else [*once[:-1:4], once[-1]]


class State:
    """A folder and a bucket as they are now, to be had again."""

    def __init__(self, folder, s3):
        self.folder, self.s3 = folder, s3
        self.kept = folder.with_name(f"{folder.name}.kept")
        shutil.copytree(folder, self.kept)
        self.objects = {key: self.body(key) for key in s3.keys()}  # noqa: SIM118  a method of S3

    def body(self, key):
        return self.s3.client.get_object(Bucket=self.s3.name, Key=key)["Body"].read()

    def restore(self):
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder)
        client = self.s3.client
        for key in self.s3.keys():  # noqa: SIM118
            client.delete_object(Bucket=self.s3.name, Key=key)
        for key, body in self.objects.items():
            client.put_object(Bucket=self.s3.name, Key=key, Body=body)


@pytest.mark.deep
@AT_STEPS
@pytest.mark.timeout(900)
def test_killed_at_any_step_no_broken_file_has_a_final_name_and_the_next_run_is_right(
    small, tmp_path, s3, killable, clock, every
):
    """A night with an upload and a rotation is killed at each of its steps."""
    folder, bucket = tmp_path / "backups", s3.bucket()
    settings = settings_of(folder, **s3.environ)

    def job():
        return {"do": "backup", "now": clock.now().isoformat(), **jobs(small, folder, s3)}

    for _ in range(2):
        assert killable.run(**job()) == 0
        clock.forward(days=1)
    clock.forward(days=8)
    state = State(folder, s3)
    before = newest_intact(FolderStorage(folder).list_backups())
    night, steps = clock.now(), killable.steps(**job())
    assert [name for name in steps if "rename" in name or "PutObject" in name or "remove" in name]
    for step in chosen(steps, every):
        state.restore()
        clock.moment = night
        assert killable.run(**job(), die_at=step) == -signal.SIGKILL, step
        found = FolderStorage(folder).list_backups()
        assert all(backup.intact for backup in found), step
        assert newest_intact(found).name >= before.name, step
        all_whole(FolderStorage(folder), settings)
        whole_in(bucket)
        clock.forward(hours=1)
        assert killable.run(**job()) == 0, step
        assert parts(folder) == [], step
        local = [in_bucket(backup) for backup in all_whole(FolderStorage(folder), settings)]
        remote = [backup.name for backup in whole_in(bucket)]
        assert local == remote, step  # what was killed before its upload has been uploaded since
        assert in_bucket(before) not in local, (
            step
        )  # and what was killed before its rotation is gone


@pytest.mark.deep
@AT_STEPS
@pytest.mark.timeout(900)
def test_a_restore_killed_at_any_step_leaves_a_whole_live_database(
    small, postgres, tmp_path, killable, clock, every
):
    """It has the rows of before or those of the backup, all of them, after each kill. Where each
    step is taken, the backup before is left out: its steps are those of the test above."""
    assert killable.run(do="backup", now=clock.now().isoformat(), **jobs(small, tmp_path)) == 0
    state = (
        "SELECT (SELECT count(*) FROM guests), count(*), count(*) FILTER (WHERE total = 7)"
        " FROM bills"
    )

    def job():
        clock.forward(minutes=1)
        return {
            "do": "restore",
            "now": clock.now().isoformat(),
            **jobs(small, tmp_path),
            "what": made,
            "backs_up": not every,
        }

    made = str(FolderStorage(tmp_path).list_backups()[0].location)
    run_sql(small, "UPDATE bills SET total = 7")
    seen = []
    for step in chosen(killable.steps(**job()), every):
        run_sql(small, "UPDATE bills SET total = 7")
        assert killable.run(**job(), die_at=step) == -signal.SIGKILL, step
        (found,) = run_sql(small, state)
        assert found in ((50, 400, 400), (50, 400, 0)), step
        seen.append(found[2])
        for (name,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
            if "_before_" in name and name.startswith(small.database):
                postgres.drop(name)
    swap = seen.index(0)  # what comes after it only tells of it
    assert seen == [400] * swap + [0] * (len(seen) - swap)
    assert killable.run(**job()) == 0
    names = [name for (name,) in run_sql(postgres.url, "SELECT datname FROM pg_database")]
    assert not [n for n in names if n.startswith(f"{small.database}_restore_")]


@pytest.mark.deep
def test_what_it_started_ends_with_it(small, tmp_path, killable, clock):
    holder = psycopg2.connect(
        host=small.query["host"], user="postgres", dbname=small.database, port=small.query["port"]
    )
    waiting = (
        "SELECT 1 FROM pg_stat_activity"
        f" WHERE datname = '{small.database}' AND application_name = 'pg_dump'"
        " AND wait_event_type = 'Lock'"
    )
    with holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE bills IN ACCESS EXCLUSIVE MODE")
        pid = killable.start(do="backup", now=clock.now().isoformat(), **jobs(small, tmp_path))
        wait_until(lambda: run_sql(small, waiting))
        started = psutil.Process(pid).children(recursive=True)
        assert any("pg_dump" in " ".join(process.cmdline()) for process in started)
        os.kill(pid, signal.SIGKILL)
        assert killable.ended() == -signal.SIGKILL
        _, left = psutil.wait_procs(started, timeout=60)
        assert left == []
    holder.close()
    assert FolderStorage(tmp_path).list_backups() == []


# Full, gone


@pytest.mark.deep
def test_a_disk_that_fills_up_in_the_middle_costs_no_backup_that_was_there(
    small, small_disk, log, clock
):
    folder = small_disk(3)
    first = make("daily", context_on(small, folder, log))
    run_sql(small, NOISE.format(2500))
    clock.forward(days=9)
    with pytest.raises(BackupError, match="the disk is full; the backups before are untouched"):
        make("daily", context_on(small, folder, log))
    assert [backup.name for backup in FolderStorage(folder).list_backups()] == [first.name]
    verify(first, settings_of(folder))
    assert [path.name for path in (folder / "daily").glob("*.part")] == []
    run_sql(small, "DROP TABLE noise")
    make("daily", context_on(small, folder, log))


@pytest.mark.deep
def test_postgresql_that_is_stopped_in_the_middle_spoils_only_this_run(
    tmp_path, log, clock, monkeypatch
):
    folder = tmp_path / "backups"
    data = tmp_path / "server"
    with use_server(data) as postgres:
        run_sql(postgres.url, SMALL)
        run_sql(postgres.url, NOISE.format(9000))
        context = context_on(postgres.url, folder, log)
        first = make("daily", context)
        clock.forward(days=1)
        stopped = []

        def stop(done):
            """At the first block of many."""
            if not stopped:
                stopped.append(done)
                os.kill(postgres.pid, signal.SIGQUIT)
                psutil.Process(postgres.pid).wait(60)

        monkeypatch.setattr(log, "progress", stop)
        with pytest.raises(BackupError):
            make("daily", context)
        monkeypatch.undo()
    assert 0 < stopped[0] < first.manifest.sql_bytes / 10
    assert [backup.name for backup in FolderStorage(folder).list_backups()] == [first.name]
    assert parts(folder) == []
    with use_server(data) as again:
        make("daily", context_on(again.url, folder, log))


# S3


@pytest.mark.deep
def test_s3_that_refuses_costs_no_local_backup(small, tmp_path, log, clock, s3):
    s3.client.delete_bucket(Bucket=s3.name)
    with pytest.raises(BackupError, match="the bucket does not exist"):
        make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert len(all_whole(FolderStorage(tmp_path), settings_of(tmp_path))) == 1
    s3.client.create_bucket(Bucket=s3.name)
    clock.forward(days=1)
    make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert len(s3.bucket().list_backups()) == 2


@pytest.mark.deep
def test_a_connection_that_is_cut_at_90_percent_leaves_nothing_that_passes_for_a_backup(
    small, tmp_path, log, clock, s3, proxy
):
    run_sql(small, NOISE.format(300))
    first = make("daily", context_on(small, tmp_path, log, s3.bucket()))
    clock.forward(days=1)
    proxy.cut_after = int(first.size * 0.9)
    bucket = s3.bucket(proxy.endpoint, timeout=2, attempts=2)
    with pytest.raises(BackupError, match=r"not uploaded: .* the local file is kept"):
        make("daily", context_on(small, tmp_path, log, bucket))
    settings = settings_of(tmp_path, **s3.environ)
    assert [backup.name for backup in all_whole(s3.bucket(), settings)] == [in_bucket(first)]
    assert len(all_whole(FolderStorage(tmp_path), settings)) == 2
    clock.forward(days=1)
    make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert len(all_whole(s3.bucket(), settings)) == 3


def test_a_connection_that_is_cut_once_is_made_again(small, tmp_path, log, s3, proxy):
    run_sql(small, NOISE.format(300))
    proxy.cut_after, proxy.cuts = 100_000, 1
    make("daily", context_on(small, tmp_path, log, s3.bucket(proxy.endpoint, timeout=2)))
    assert proxy.cuts == 0
    assert len(all_whole(s3.bucket(), settings_of(tmp_path, **s3.environ))) == 1


@pytest.mark.deep
def test_a_slow_s3_is_waited_for(small, tmp_path, log, s3, proxy):
    run_sql(small, NOISE.format(300))
    proxy.pause = 0.02
    make("daily", context_on(small, tmp_path, log, s3.bucket(proxy.endpoint, timeout=2)))
    assert len(all_whole(s3.bucket(), settings_of(tmp_path, **s3.environ))) == 1


@pytest.mark.deep
def test_an_s3_that_is_silent_is_given_up(small, tmp_path, log, s3, proxy):
    proxy.silent = True
    with pytest.raises(BackupError, match=r"gave no answer within 0\.2s; the local file is kept"):
        make(
            "daily",
            context_on(small, tmp_path, log, s3.bucket(proxy.endpoint, timeout=0.2, attempts=2)),
        )
    assert len(all_whole(FolderStorage(tmp_path), settings_of(tmp_path))) == 1


@pytest.mark.deep
def test_a_truncated_object_is_not_the_newest(small, tmp_path, log, clock, s3):
    first = make("daily", context_on(small, tmp_path, log, s3.bucket()))
    clock.forward(days=1)
    second = make("daily", context_on(small, tmp_path, log, s3.bucket()))
    body = Path(second.location).read_bytes()[:-9]
    s3.client.put_object(Bucket=s3.name, Key=in_bucket(second).key, Body=body)
    settings = settings_of(tmp_path, **s3.environ)
    assert find_backup(f"s3://{s3.name}", settings).name == in_bucket(first)
    with pytest.raises(BackupError):
        verify(find_backup(f"s3://{s3.name}/daily/{second.name}", settings), settings)


@pytest.mark.deep
def test_a_file_that_has_changed_since_it_was_verified_is_not_uploaded(
    small, tmp_path, log, clock, s3
):
    """Its upload had failed, and the disk has lost a byte of it before the next try."""
    s3.client.delete_bucket(Bucket=s3.name)
    with pytest.raises(BackupError):
        make("daily", context_on(small, tmp_path, log, s3.bucket()))
    (backup,) = FolderStorage(tmp_path).list_backups()
    path = Path(backup.location)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    s3.client.create_bucket(Bucket=s3.name)
    clock.forward(days=1)
    with pytest.raises(BackupError, match="is no longer what was verified"):
        make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert [found.name.at for found in s3.bucket().list_backups()] == [clock.now()]


@pytest.mark.parametrize(
    "key",
    [
        "daily/../../etc/passwd",
        "daily/steak_kenangan_daily_20251226_120000.dump.gz\n",
        "daily/$(reboot).dump.gz",
        "../daily/x",
    ],
)
def test_an_address_that_is_an_attack_is_refused(tmp_path, s3, key):
    s3.client.put_object(Bucket=s3.name, Key="daily/$(reboot).dump.gz", Body=b"x")
    with pytest.raises(Refused):
        find_backup(f"s3://{s3.name}/{key}", settings_of(tmp_path, **s3.environ))
