"""A month of nights with random faults: whatever was promised can be restored at its end."""

import random
import signal
from contextlib import nullcontext
from datetime import datetime, timedelta

import pytest

from posapp import JAKARTA
from posapp.backup import compression
from posapp.backup.errors import BackupError
from posapp.backup.loading import load_backup
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.schedule import missed_jobs, timetable
from posapp.backup.storage.folder import FolderStorage
from tests.backup.kit import address, context_on, make, run_sql, settings_of, verify

NIGHTS = 31
JOBS = [job for job in timetable("") if job.command[0] == "backup"]
AWAY = ("no S3", "cut")
FAULTS = ("killed", *AWAY, "clock back", "off")


def promised(kind, made, now):
    """The intact backups that the runbook promises to keep; the newest in any case."""
    days = {"daily": 7, "weekly": 28, "monthly": 89}[kind]
    return {name for name in made if now - name.at <= timedelta(days=days)} | set(made[-1:])


@pytest.mark.deep
@pytest.mark.fault
def test_after_a_month_of_faults_every_promised_restore_point_can_be_restored(
    small, postgres, tmp_path, s3, s3_of_module, proxy, killable, log, clock
):
    choose = random.Random(31)
    steps = killable.steps(**job_of(small, tmp_path / "before", s3_of_module, clock))
    run_sql(small, "CREATE TABLE night (at timestamptz)")
    nights = {}
    seen = set()
    for day in range(NIGHTS):
        night = datetime(2025, 12, 1, tzinfo=JAKARTA) + timedelta(days=day)
        run_sql(small, f"TRUNCATE night; INSERT INTO night VALUES ('{night.isoformat()}')")
        fault = choose.choice(FAULTS) if choose.random() < 0.45 else None
        seen.add(fault)
        if fault == "off":
            continue
        # The schedule is started anew each night, after the hour of its last job.
        starts = night + timedelta(hours=4, minutes=choose.randrange(1, 50))
        for job in missed_jobs(JOBS, FolderStorage(tmp_path).list_backups(), starts):
            kind, clock.moment = job.name, starts
            if fault == "clock back":
                clock.forward(days=-2)
            a_run(fault, kind, small, tmp_path, s3, proxy, killable, steps, log, clock, choose)
        for backup in FolderStorage(tmp_path).list_backups():
            nights.setdefault(backup.name, night)
    assert seen == {*FAULTS, None}
    proxy.cut_after = None
    now = clock.moment = datetime(2026, 1, 1, 1, 0, tzinfo=JAKARTA)
    local, remote = FolderStorage(tmp_path).list_backups(), s3.bucket().list_backups()
    settings = settings_of(tmp_path, **s3.environ)
    for kind in ("daily", "weekly", "monthly"):
        made = sorted(name for name in nights if name.kind == kind)
        there = {backup.name for backup in local if backup.intact}
        assert promised(kind, made, now) <= there
        assert {e.name for e in remote if e.intact and e.name.kind == kind}, "none in S3"
    for backup in local:
        verify(backup, settings)
        restored_night = restore(backup, postgres, small)
        assert restored_night == nights[backup.name]
    for backup in remote:
        if backup.intact:
            with s3.bucket().open(backup) as file:
                found = compression.checksum(file)
            assert found == (backup.manifest.sha256, backup.size)


def job_of(small, folder, s3, clock):
    return {
        "do": "backup",
        "url": address(small),
        "folder": str(folder),
        "now": clock.now().isoformat(),
        "bucket": s3.name,
        "endpoint": s3.endpoint,
    }


def a_run(fault, kind, small, tmp_path, s3, proxy, killable, steps, log, clock, choose):
    """One backup with a fault in it; where it was killed or failed, nothing is promised of it."""
    if fault == "killed":
        job = job_of(small, tmp_path, s3, clock)
        step = choose.choice(steps)
        assert killable.run(**job, kind=kind, die_at=step) == -signal.SIGKILL, step
        return
    bucket = s3.bucket("http://127.0.0.1:1", 0.2, attempts=1) if fault == "no S3" else s3.bucket()
    if fault == "cut":
        proxy.cut_after, proxy.cuts = 3000, None
        bucket = s3.bucket(proxy.endpoint, 1, attempts=1)
    ends = pytest.raises(BackupError, match="not uploaded") if fault in AWAY else nullcontext()
    with ends:
        make(kind, context_on(small, tmp_path, log, bucket))


def restore(backup, postgres, small):
    """The night that a restored backup is of."""
    url = postgres.create(f"{small.database}_month")
    try:
        with open(backup.location, "rb") as file:
            load_backup(PostgresClient(url), file, backup, None, lambda done: None)
        return run_sql(url, "SELECT at FROM night")[0][0]
    finally:
        postgres.drop(url.database)
