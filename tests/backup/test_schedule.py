"""The timetable, and the jobs that run late because they were missed."""

import signal
from datetime import datetime, timedelta

import psutil
import psycopg2
import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from healthkit.testing import wait_until
from posapp import JAKARTA
from posapp.backup.model.backup import Backup, BackupName
from posapp.backup.schedule import follow_clock, missed_jobs, timetable
from posapp.runtime.postgres import use_embedded_database
from tests.backup.kit import manifest_for, run_sql

JOBS = timetable("drills")
DAILY, WEEKLY, MONTHLY, WEEKLY_BASE, TEST_RESTORE, DRILL = JOBS
HOUR = timedelta(hours=1)
DUMP_WAITS = (
    "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'"
)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=JAKARTA)


def times(job, start, count):
    found, now = [], at(start)
    for _ in range(count):
        now = job.trigger.get_next_fire_time(None, now + timedelta(seconds=1))
        found.append(now.strftime("%a %Y-%m-%d %H:%M %z"))
    return found


def test_the_timetable_is_the_runbooks_in_jakartas_time():
    assert times(DAILY, "2025-12-25 12:00", 2) == [
        "Fri 2025-12-26 02:00 +0700",
        "Sat 2025-12-27 02:00 +0700",
    ]
    assert times(WEEKLY, "2025-12-25 12:00", 2) == [
        "Sun 2025-12-28 03:00 +0700",
        "Sun 2026-01-04 03:00 +0700",
    ]
    assert times(MONTHLY, "2025-12-25 12:00", 2) == [
        "Thu 2026-01-01 04:00 +0700",
        "Sun 2026-02-01 04:00 +0700",
    ]
    assert times(WEEKLY_BASE, "2025-12-25 12:00", 1) == ["Sun 2025-12-28 04:00 +0700"]
    assert times(TEST_RESTORE, "2025-12-25 12:00", 1) == ["Sun 2025-12-28 05:00 +0700"]
    assert times(DRILL, "2025-12-25 12:00", 1) == ["Thu 2026-01-01 06:00 +0700"]


def backup(kind, made, restored=None, good=True):
    name = BackupName(at(made), kind)
    manifest = manifest_for(name, restored_at=at(restored) if restored else None)
    return Backup(name, 1 if good else 0, manifest, f"/b/{kind}/{name}")


def test_a_base_backup_is_made_up_for_where_what_is_written_is_received_and_nowhere_else():
    now = at("2025-12-30 12:00")
    old, new = at("2025-12-21 04:00:30"), at("2025-12-28 04:00:30")
    assert WEEKLY_BASE not in missed_jobs(JOBS, UP_TO_DATE, now)
    assert WEEKLY_BASE in missed_jobs(JOBS, UP_TO_DATE, now, [])
    assert WEEKLY_BASE in missed_jobs(JOBS, UP_TO_DATE, now, [old])
    assert WEEKLY_BASE not in missed_jobs(JOBS, UP_TO_DATE, now, [old, new])


UP_TO_DATE = [
    backup("daily", "2025-12-26 02:00:05"),
    backup("weekly", "2025-12-21 03:00:05"),
    backup("monthly", "2025-12-01 04:00:05", restored="2025-12-21 05:00:09"),
]


def names(backups, now):
    return [job.name for job in missed_jobs(JOBS, backups, at(now))]


def test_no_job_is_due_where_none_was_missed():
    assert names(UP_TO_DATE, "2025-12-26 12:00") == []


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2025-12-27 01:59", []),
        ("2025-12-27 02:01", ["daily"]),
        ("2025-12-28 04:00", ["daily", "weekly"]),
        ("2025-12-28 05:00", ["daily", "weekly", "weekly test restore"]),
        ("2026-01-01 04:30", ["daily", "weekly", "monthly", "weekly test restore"]),
        ("2026-06-01 12:00", [job.name for job in JOBS if job is not WEEKLY_BASE]),
    ],
)
def test_the_backups_show_which_jobs_were_missed(now, due):
    assert names(UP_TO_DATE, now) == due


def test_a_backup_that_is_not_good_does_not_count():
    assert names(
        [*UP_TO_DATE[1:], backup("daily", "2025-12-26 02:00:05", good=False)], "2025-12-26 12:00"
    ) == ["daily"]


def test_what_a_clock_that_was_ahead_has_dated_shows_no_job_that_ran():
    ahead = [
        backup(kind, "2027-03-01 02:00:05", restored="2027-03-01 05:00:09")
        for kind in ("daily", "weekly", "monthly")
    ]
    every = [job.name for job in JOBS if job is not WEEKLY_BASE]
    assert names(ahead, "2025-12-26 12:00") == every
    assert names([*UP_TO_DATE, *ahead], "2025-12-26 12:00") == []
    now = at("2025-12-30 12:00")
    assert WEEKLY_BASE in missed_jobs(JOBS, [], now, [at("2027-03-01 04:00:30")])


@pytest.mark.parametrize(
    ("planned", "now", "due"),
    [
        ("2027-03-02 02:00", "2025-12-26 12:00", "2025-12-27 02:00"),  # set back: a year's wait
        ("2025-12-27 02:00", "2025-12-26 01:59:30", "2025-12-27 02:00"),  # by seconds: once alone
        ("2025-12-27 02:00", "2025-12-26 12:00", "2025-12-27 02:00"),
        ("2025-12-26 02:00", "2025-12-26 12:00", "2025-12-26 02:00"),  # slept: it runs now
    ],
)
def test_the_schedule_follows_a_clock_that_is_set(planned, now, due):
    scheduler = BackgroundScheduler(timezone=JAKARTA)
    scheduler.start(paused=True)
    try:
        scheduler.add_job(lambda: None, DAILY.trigger, id="daily", next_run_time=at(planned))
        follow_clock(scheduler, at(now))
        assert scheduler.get_job("daily").next_run_time == at(due)
    finally:
        scheduler.shutdown()


def test_where_there_is_nothing_yet_all_of_it_is_due():
    assert names([], "2025-12-26 12:00") == [job.name for job in JOBS if job is not WEEKLY_BASE]


@pytest.mark.deep
@pytest.mark.slow
def test_it_makes_up_for_what_it_missed_one_after_another_and_ends_at_sigterm(me, small, tmp_path):
    """On an embedded server of its own, with the whole POS in it."""
    environ = {
        "POS_DATA_DIR": str(tmp_path / "var"),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "BACKUP_LOG": str(tmp_path / "backup.log"),
    }
    assert me.run("seed", environ=environ).returncode == 0
    process = me.start("-m", "posapp", "backup", "schedule", environ=environ)
    try:
        log = tmp_path / "backup.log"

        def said(text):
            return log.exists() and text in log.read_text()

        wait_until(lambda: said("weekly test restore: exit code 0") or process.poll(), 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    text = log.read_text()
    assert text.count("Backup completed successfully!") == 3
    assert text.count("completed successfully") == 4  # one drill, though two were due
    assert len(list((tmp_path / "backups" / "drills").glob("*.md"))) == 1
    assert "next daily: " in text


# Of all that runs, pg_dump alone reads the one, and no session reads it as it begins; the rows of
# the other are counted too.
@pytest.mark.deep
@pytest.mark.fault
@pytest.mark.parametrize("table", ["pg_seclabel", "products"])
def test_a_job_that_runs_is_ended_with_it(me, tmp_path, table):
    """Stopped in the middle of a dump, it leaves neither a process nor half a file."""
    environ = {
        "POS_DATA_DIR": str(tmp_path / "var"),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "BACKUP_LOG": str(tmp_path / "backup.log"),
    }
    assert me.run("db", "upgrade", environ=environ).returncode == 0
    with use_embedded_database(tmp_path / "var") as url:
        holder = psycopg2.connect(host=url.query["host"], user=url.username, dbname=url.database)
        with holder, holder.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            process = me.start("-m", "posapp", "backup", "schedule", environ=environ)
            try:
                wait_until(lambda: run_sql(url, DUMP_WAITS), 60)
                jobs = psutil.Process(process.pid).children(recursive=True)
                assert any("pg_dump" in " ".join(job.cmdline()) for job in jobs)
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
                _, left = psutil.wait_procs(jobs, timeout=60)
                assert left == []
                assert list((tmp_path / "backups").rglob("*.part")) == []
            finally:
                process.kill()
                process.communicate()
        holder.close()
