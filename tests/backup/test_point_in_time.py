"""Any moment since a base backup can be had again, by PostgreSQL's own programs."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from healthkit.testing import wait_until
from posapp.backup.errors import Refused
from posapp.backup.point_in_time import (
    BaseBackup,
    choose_base,
    create_base_backup,
    list_base_backups,
    parse_target_time,
)
from posapp.backup.storage.folder import FolderStorage
from posapp.runtime.postgres import use_server
from tests.backup.kit import SMALL, address, context_on, run_sql

NOW = datetime(2025, 12, 26, 5, 0, tzinfo=UTC)


@pytest.fixture
def live(tmp_path):
    """A server of one's own: a base backup copies all of it."""
    with use_server(tmp_path / "live") as one:
        run_sql(one.url, SMALL)
        yield one.url


def received(live):
    """Whether all that has been written so far has been received, and synced there."""
    (found,) = run_sql(
        live, "SELECT flush_lsn >= pg_current_wal_flush_lsn() FROM pg_stat_replication"
    ) or [(False,)]
    return found[0]


def test_a_moment_between_two_accidents_comes_back(me, live, tmp_path):
    environ = {
        "DATABASE_URL": address(live),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "BACKUP_LOG": str(tmp_path / "backup.log"),
        "HEALTHKIT_STORE": f"sqlite:///{tmp_path}/store.db",
    }
    receiving = me.start("-m", "posapp", "backup", "receive-wal", environ=environ)
    try:
        wait_until(lambda: received(live), 30)
        base = me.run("backup", "base", environ=environ)
        assert base.returncode == 0, base.stderr
        ended = list_base_backups(FolderStorage(tmp_path / "backups"))[0].at
        wait_until(lambda: datetime.now(UTC) > ended)
        run_sql(live, "INSERT INTO guests VALUES (51, 'Tamu setelah cadangan')")
        (between,) = run_sql(live, "SELECT clock_timestamp()")[0]
        run_sql(live, "DELETE FROM bills")
        run_sql(live, "DELETE FROM guests")
        wait_until(lambda: received(live))
        at = (between + timedelta(milliseconds=1)).isoformat()
        done = me.run("restore", "--at", at, "--skip-confirm", environ=environ)
        assert done.returncode == 0, done.stderr
        assert run_sql(live, "SELECT count(*) FROM guests") == [(51,)]
        assert run_sql(live, "SELECT count(*) FROM bills") == [(400,)]
        (before,) = run_sql(live, "SELECT datname FROM pg_database WHERE datname LIKE '%before%'")[
            0
        ]
        assert run_sql(live.set(database=before), "SELECT count(*) FROM guests") == [(0,)]

        run_sql(live, "INSERT INTO guests VALUES (52, 'Yang terakhir')")
        wait_until(lambda: received(live))
        latest = me.run("restore", "--at", "latest", "--skip-confirm", environ=environ)
        assert latest.returncode == 0, latest.stderr
        assert run_sql(live, "SELECT count(*) FROM guests") == [(52,)]

        quiet = datetime.now(UTC).isoformat()
        since = me.run("restore", "--at", quiet, "--skip-confirm", environ=environ)
        assert since.returncode == 0, since.stderr
        assert run_sql(live, "SELECT count(*) FROM guests") == [(52,)]
        assert list((tmp_path / "backups").glob("fetched/*")) == []
    finally:
        receiving.send_signal(signal.SIGTERM)
        receiving.communicate(timeout=20)
    assert receiving.returncode == 0
    assert not psutil.pid_exists(receiving.pid)


def test_two_base_backups_are_kept_and_what_was_written_before_them_goes(
    live, tmp_path, log, clock
):
    context = context_on(live, tmp_path / "backups", log)
    storage = context.storage
    wal = storage.prepare("wal")
    old = wal / "000000010000000000000001"
    new = wal / "0000000100000000000000FF"
    for path in (old, new):
        path.touch()
    (storage.prepare("base") / "base_20200101_000000.part").mkdir()
    for _ in range(3):
        with storage.lock() as lock:
            create_base_backup(context, lock)
        clock.forward(days=7)
    assert len(list_base_backups(storage)) == len(list((storage.root / "base").iterdir())) == 2
    assert not old.exists()
    assert new.exists()


def test_target_time_defaults_to_jakarta():
    assert parse_target_time("2025-12-26 10:30", NOW) == datetime(2025, 12, 26, 3, 30, tzinfo=UTC)
    assert parse_target_time("2025-12-26T01:30:00+00:00", NOW) == datetime(
        2025, 12, 26, 1, 30, tzinfo=UTC
    )
    assert parse_target_time("latest", NOW) is None


@pytest.mark.parametrize(
    ("text", "message"), [("yesterday", "is not a time"), ("2030-01-01 00:00", "is in the future")]
)
def test_what_is_no_moment_is_refused(text, message):
    with pytest.raises(Refused, match=message):
        parse_target_time(text, NOW)


def test_the_newest_base_before_the_moment_is_chosen():
    made = [BaseBackup(NOW - timedelta(days=day), Path(f"{day}")) for day in (3, 2, 1)]
    assert choose_base(made, NOW - timedelta(days=1, hours=1)) == made[1]
    assert choose_base(made, None) == made[2]
    with pytest.raises(Refused, match="no base backup is that old; the oldest is of 2025-12-23"):
        choose_base(made, NOW - timedelta(days=9))
    with pytest.raises(Refused, match="posapp backup base makes one"):
        choose_base([], None)
