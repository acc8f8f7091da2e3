"""The commands, as operators and cron type them."""

import json
import os
import re
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from healthkit import SYSTEM_CLOCK
from posapp.backup import context
from posapp.backup.context import RunLog
from posapp.backup.listing import format_age
from posapp.backup.model.backup import BackupName
from posapp.backup.storage.folder import FolderStorage
from posapp.cli import main
from posapp.settings import Settings
from tests.backup.kit import ROOT, address, run_sql
from tests.observability.sinks import sink


@pytest.fixture
def environ(small, tmp_path):
    return {
        "DATABASE_URL": address(small),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "BACKUP_LOG": str(tmp_path / "log" / "backup.log"),
        "HEALTHKIT_STORE": f"sqlite:///{tmp_path}/store.db",
    }


@pytest.fixture
def posapp(environ):
    """Runs a command in this process, which has paid for its imports."""

    def run(*arguments, answers="", **more):
        done = CliRunner(env={**environ, **more}).invoke(main, list(arguments), input=answers)
        assert done.exc_info is None or isinstance(done.exception, SystemExit | None), done
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return run


def one_line(done, code):
    assert done.returncode == code, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("kind", ["daily", "weekly", "monthly", "pre-deploy"])
def test_each_kind_is_made_and_the_log_ends_with_the_line_of_the_runbook(posapp, tmp_path, kind):
    done = posapp("backup", kind)
    assert (done.returncode, done.stderr) == (0, "")
    (backup,) = FolderStorage(tmp_path / "backups").list_backups()
    assert backup.name.kind == kind
    last = (tmp_path / "log" / "backup.log").read_text().splitlines()[-1]
    assert re.fullmatch(
        r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] ✅ Backup completed successfully!", last
    )
    assert done.stdout.splitlines()[-1] == last
    assert str(backup.name) in done.stdout
    assert "\r" not in done.stdout  # plain lines for cron


def test_a_failure_exits_1_and_sends_json_to_the_webhook(posapp):
    with sink() as webhook:
        done = posapp(
            *("backup", "daily"),
            DATABASE_URL="postgresql://kasir:rahasia-4831@127.0.0.1:1/pos",
            ALERT_WEBHOOK=f"http://{webhook.url}/alert",
        )
    assert "Connection refused" in one_line(done, 1)
    ((path, body),) = webhook.received
    assert path == "/alert"
    assert json.loads(body)["event"] == "backup-failed"
    assert json.loads(body)["text"].startswith("❌ Backup (daily) failed: database pos: ")
    assert "rahasia-4831" not in done.stdout + done.stderr + body.decode()


def test_an_unreachable_webhook_is_logged_and_changes_nothing(posapp):
    done = posapp(
        *("backup", "daily"),
        DATABASE_URL="postgresql://127.0.0.1:1/pos",
        ALERT_WEBHOOK="http://127.0.0.1:1/secret-token",
    )
    assert done.returncode == 1
    assert "ALERT_WEBHOOK was not reached" in done.stdout
    assert "secret-token" not in done.stdout + done.stderr


def test_a_second_run_leaves_at_once_with_75(posapp, tmp_path):
    with FolderStorage(tmp_path / "backups").lock():
        assert "another backup or restore is running" in one_line(posapp("backup", "daily"), 75)
        assert "another backup or restore is running" in one_line(posapp("restore", "latest"), 75)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"BACKUP_AGE_RECIPIENT": "age1nonsense"}, "BACKUP_AGE_RECIPIENT: not a public key"),
        ({"BACKUP_DIR": "/proc/nowhere"}, "BACKUP_DIR: /proc/nowhere"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL: must begin with postgresql://"),
    ],
)
def test_a_mistake_in_the_settings_is_one_line(posapp, variables, message):
    assert message in one_line(posapp("backup", "daily", **variables), 2)


def test_an_endpoint_that_is_none_is_one_line(posapp):
    done = posapp("backup", "list", BACKUP_S3_BUCKET="b", BACKUP_S3_ENDPOINT="x")
    assert "BACKUP_S3_ENDPOINT: 'x' is not a web address" in one_line(done, 2)


def test_a_folder_that_is_a_link_to_itself_is_one_line(posapp, tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert f"BACKUP_DIR: {loop}" in one_line(posapp("backup", "daily", BACKUP_DIR=str(loop)), 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("restore", "--at", "0001-01-01"), "'0001-01-01' is not a time; write it like"),
        (("restore", "--at", "9999-12-31T23:59:59-12:00"), "is not a time"),
        (("restore", "--dry-run", "x" * 300), "File name too long"),
        (("drill", "x" * 5000), "File name too long"),
        (("backup", "verify", "x" * 300), "File name too long"),
        (("backup", "verify", "s3://NO bucket/daily"), "not the name of a bucket"),
        (("backup", "report", "--html", ""), "--html: "),
        (("backup", "report", "--month", ""), "--month: '' is not a month"),
        (("restore", ""), "no backup is named: write a path"),
        (("restore", "--dry-run", ""), "no backup is named"),
        (("drill", ""), "no backup is named"),
        (("backup", "verify", ""), "no backup is named"),
        (("backup", "export", "stick", "--backup", "", "--unencrypted"), "no backup is named"),
        (("backup", "export", "", "--unencrypted"), "no file is named"),
    ],
)
def test_an_argument_that_is_none_is_one_line(posapp, arguments, message):
    keys = {"BACKUP_S3_ACCESS_KEY": "key", "BACKUP_S3_SECRET_KEY": "secret"}
    assert message in one_line(posapp(*arguments, **keys), 2)


NO_KEYS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    "AWS_CONFIG_FILE": "/nowhere",
}


@pytest.mark.parametrize(
    "arguments", [("list",), ("verify", "s3://b"), ("daily",)], ids=lambda one: one[0]
)
def test_a_bucket_without_keys_is_a_mistake_that_names_them(posapp, s3, tmp_path, arguments):
    """The backup itself is made all the same."""
    bucket = {"BACKUP_S3_BUCKET": s3.name, "BACKUP_S3_ENDPOINT": s3.endpoint}
    done = posapp("backup", *arguments, **bucket, **NO_KEYS)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert "BACKUP_S3_ACCESS_KEY and BACKUP_S3_SECRET_KEY: missing" in last
    made = FolderStorage(tmp_path / "backups").list_backups()
    assert len(made) == (arguments[0] == "daily")


@pytest.mark.parametrize("given", ["BACKUP_S3_ACCESS_KEY", "BACKUP_S3_SECRET_KEY"])
def test_one_key_without_the_other_is_a_mistake_that_names_it(posapp, given):
    missing = ({"BACKUP_S3_ACCESS_KEY", "BACKUP_S3_SECRET_KEY"} - {given}).pop()
    done = posapp("backup", "list", BACKUP_S3_BUCKET="b", **{given: "key"})
    assert one_line(done, 2).startswith(f"{missing}: missing")


def test_an_empty_database_is_one_line(posapp, postgres, small):
    url = postgres.create(f"{small.database}_nothing")
    done = posapp("backup", "daily", DATABASE_URL=address(url))
    assert "has no tables: is it the right one?" in one_line(done, 2)


def test_list_shows_what_there_is_here_and_in_s3(posapp, s3):
    assert posapp("backup", "list").stdout == "there is no backup\n"
    assert posapp("backup", "daily", **s3.environ).returncode == 0
    rows = posapp("backup", "list", **s3.environ).stdout.splitlines()
    heading = ["NAME", "KIND", "AGE", "SIZE", "VERIFIED", "UPLOADED", "RESTORED", "WHERE"]
    assert rows[0].split() == heading
    assert len(rows) == 3
    assert {row.split()[-1].split("/")[0] for row in rows[1:]} == {"", "s3:"}
    assert posapp("restore", **s3.environ).stdout.splitlines()[:3] == rows


def test_verify_prints_that_it_is_whole_or_exits_1(posapp, tmp_path):
    posapp("backup", "daily")
    assert posapp("backup", "verify").stdout.startswith("✅ ")
    (backup,) = FolderStorage(tmp_path / "backups").list_backups()
    with open(backup.location, "r+b") as file:
        file.seek(40)
        file.write(b"!!")
    assert posapp("backup", "verify", backup.location).returncode == 1
    assert "there is no such backup" in one_line(posapp("backup", "verify", "nothing"), 2)


def test_dry_run_shows_what_the_rotation_would_remove_and_removes_nothing(posapp, tmp_path):
    assert posapp("backup", "daily", "--dry-run").stdout == "nothing would be removed\n"
    posapp("backup", "daily")
    (made,) = FolderStorage(tmp_path / "backups").list_backups()
    old = BackupName(datetime(2020, 1, 1, tzinfo=UTC), "daily")
    path = tmp_path / "backups" / "daily" / str(old)
    path.write_bytes(b"x")
    path.with_name(old.manifest).write_bytes(made.manifest.dump())  # ours, but not intact
    shown = posapp("backup", "daily", "--dry-run").stdout
    assert f"Would remove daily/{old}" in shown
    assert path.exists()
    posapp("backup", "daily")
    assert not path.exists()


def test_restore_asks_and_no_is_no(posapp, small):
    posapp("backup", "daily")
    run_sql(small, "DELETE FROM bills")
    for answers, code, rows in (("n\n", 2, 0), ("", 2, 0), ("y\n", 0, 400)):
        assert posapp("restore", "latest", answers=answers).returncode == code
        assert run_sql(small, "SELECT count(*) FROM bills") == [(rows,)]


@pytest.mark.deep
def test_a_restore_is_silenced_for_the_swap_alone(posapp, tmp_path):
    posapp("backup", "daily")
    done = posapp("restore", "latest", "--skip-confirm")
    assert done.returncode == 0, done.stderr
    assert "healthkit was not reached" not in done.stdout
    with closing(sqlite3.connect(tmp_path / "store.db")) as store:
        ((reason, *times),) = store.execute("SELECT reason, until, made_at FROM healthkit_silences")
    until, made_at = (datetime.fromisoformat(time).replace(tzinfo=UTC) for time in times)
    assert reason == "a restore"
    assert until < datetime.now(UTC)
    assert until - made_at < timedelta(seconds=30)


@pytest.mark.deep
def test_a_restore_from_s3_fetches_it_and_leaves_nothing_behind(posapp, small, tmp_path, s3):
    posapp("backup", "daily", **s3.environ)
    run_sql(small, "DELETE FROM bills")
    done = posapp("restore", f"s3://{s3.name}/daily", "--skip-confirm", **s3.environ)
    assert done.returncode == 0, done.stderr
    assert run_sql(small, "SELECT count(*) FROM bills") == [(400,)]
    assert list((tmp_path / "backups" / "fetched").iterdir()) == []


@pytest.mark.deep
def test_a_backup_without_manifest_is_restored_only_with_its_option(posapp, small, tmp_path):
    posapp("backup", "daily")
    (backup,) = FolderStorage(tmp_path / "backups").list_backups()
    (tmp_path / "backups" / "daily" / backup.name.manifest).unlink()
    refused = posapp("restore", backup.location, "--skip-confirm")
    assert "there is no manifest" in one_line(refused, 1)
    named = ("restore", backup.location, "--skip-confirm", "--without-manifest")
    assert "not confirmed by its name" in posapp(*named, answers="yes\n").stderr
    assert posapp(*named, answers=f"{backup.name}\n").returncode == 0


@pytest.mark.deep
def test_the_spellings_of_version_1_0_are_understood_and_not_shown(posapp, small):
    assert posapp("backup", "daily").returncode == 0
    run_sql(small, "DELETE FROM bills")
    done = posapp("restore", "latest", "--skip-confirm", "--no-backup-first")
    assert done.returncode == 0, done.stderr
    assert run_sql(small, "SELECT count(*) FROM bills") == [(400,)]
    assert "pre-restore" not in posapp("backup", "list").stdout
    assert "Receive all that is written" in posapp("backup", "wal", "--help").stdout
    shown = posapp("backup", "--help").stdout + posapp("restore", "--help").stdout
    assert "receive-wal" in shown
    assert "--no-pre-restore-backup" in shown
    assert not re.search(r"^  wal\b|--no-backup-first", shown, re.MULTILINE)


@pytest.mark.deep
def test_an_ordinary_user_can_do_all_of_it(ordinary_user, s3):
    environ = {
        "POS_DATA_DIR": str(ordinary_user.folder / "var"),
        "BACKUP_DIR": str(ordinary_user.folder / "backups"),
        "BACKUP_LOG": str(ordinary_user.folder / "backup.log"),
        **s3.environ,
    }
    for arguments in (
        ["seed"],
        ["backup", "daily"],
        ["restore", "latest", "--skip-confirm"],
        ["drill", "--report", str(ordinary_user.folder)],
    ):
        done = ordinary_user.run(*arguments, environ=environ)
        assert done.returncode == 0, done.stderr


@pytest.mark.deep
def test_the_scripts_of_deploy_are_these_commands(environ, small, tmp_path):
    def script(name, *arguments):
        """As a process, like cron's."""
        return subprocess.run(
            [str(ROOT / "deploy" / name), *arguments],
            env={**os.environ, **environ},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    assert "Usage" in script("backup.sh", "--help").stdout
    assert script("backup.sh").returncode == 0  # daily is the default
    assert script("backup.sh", "pre-deploy").returncode == 0
    assert script("backup.sh", "hourly").returncode == 2
    kinds = {backup.name.kind for backup in FolderStorage(tmp_path / "backups").list_backups()}
    assert kinds == {"daily", "pre-deploy"}
    assert "pre-deploy" in script("restore.sh").stdout
    run_sql(small, "DELETE FROM bills")
    assert script("restore.sh", "latest", "--skip-confirm").returncode == 0
    assert run_sql(small, "SELECT count(*) FROM bills") == [(400,)]


def test_the_log_lies_in_backup_dir_unless_a_folder_for_logs_is_there(tmp_path, monkeypatch):
    def path(**settings):
        return RunLog.from_settings(Settings(**settings), SYSTEM_CLOCK).path

    monkeypatch.setattr(context, "SYSTEM_LOGS", tmp_path / "nowhere")
    assert path(backup_dir=tmp_path) == tmp_path / "backup.log"
    monkeypatch.setattr(context, "SYSTEM_LOGS", tmp_path / "logs")
    (tmp_path / "logs").mkdir()
    assert path(backup_dir=tmp_path) == tmp_path / "logs" / "backup.log"
    assert path(backup_log=tmp_path / "x.log") == tmp_path / "x.log"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0m"), (3599, "59m"), (3600, "1h 0m"), (90_000, "1d 1h"), (-5, "0m")]
)
def test_ages_are_short(seconds, text):
    assert format_age(timedelta(seconds=seconds)) == text
