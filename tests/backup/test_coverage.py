"""Point in time is watched: what is missing for it is told before anybody needs it."""

import threading
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from healthkit import SYSTEM_CLOCK, Status
from healthkit.testing import wait_until
from posapp.backup import received
from posapp.backup.base_backup import BaseBackup, create_base_backup
from posapp.backup.context import RunLog
from posapp.backup.coverage import Coverage, find_faults, find_warnings, read_coverage
from posapp.backup.postgres.slot import Slot
from posapp.backup.recovery import KNOWN, Mark
from posapp.operations.health import PosWal
from posapp.runtime.postgres import use_server
from tests.backup.kit import SMALL, address, context_on, receiving, run_sql

NOW = datetime(2025, 12, 26, 5, 0, tzinfo=UTC)
MB = 1 << 20
GOOD = Slot(active=True, lost=False, held=MB, left=900 * MB)


def covered(base_age=timedelta(days=1), lag=timedelta(seconds=30), missing=0):
    bases = () if base_age is None else (BaseBackup(NOW - base_age, None),)
    known = None if lag is None else Mark(NOW - lag, 1, "1")
    return Coverage(bases, known, missing)


def test_nothing_is_said_where_all_is_well_and_where_it_is_not_in_use():
    assert find_faults(covered(), GOOD, NOW) == find_warnings(covered(), GOOD, NOW) == []
    unused = Coverage((), None, 0)
    assert find_faults(unused, None, NOW) == find_warnings(unused, None, NOW) == []


@pytest.mark.parametrize(
    ("coverage", "slot", "fault"),
    [
        (covered(base_age=None), GOOD, "no base backup"),
        (covered(missing=2), GOOD, "2 segments are missing"),
        (covered(), None, "the slot is gone"),
        (covered(), Slot(False, True, 0, None), "the slot is lost"),
        (covered(), Slot(False, False, 40 * MB, 900 * MB), "keeps 41.9 MB for it"),
        (covered(lag=timedelta(hours=1)), GOOD, "known until 1h0m0s ago"),
        (covered(lag=None), GOOD, "was never noted"),
        (Coverage((), None, 0), GOOD, "no base backup"),
    ],
)
def test_what_keeps_a_moment_from_being_restored_is_a_fault(coverage, slot, fault):
    assert fault in "; ".join(find_faults(coverage, slot, NOW))


@pytest.mark.parametrize(
    ("coverage", "slot", "warning"),
    [
        (covered(base_age=timedelta(days=9)), GOOD, "the newest base backup is 216h0m0s old"),
        (covered(), Slot(True, False, MB, None), "without a bound"),
        (covered(), Slot(True, False, 600 * MB, 400 * MB), "lost after another 419.4 MB"),
    ],
)
def test_what_will_become_a_fault_is_a_warning(coverage, slot, warning):
    assert find_faults(coverage, slot, NOW) == []
    assert warning in "; ".join(find_warnings(coverage, slot, NOW))


NAMES = [f"00000001{n // 256:08X}{n % 256:08X}" for n in (*range(253, 256), *range(256, 260))]


@pytest.mark.parametrize("left_out", range(7))
def test_a_segment_that_is_missing_is_counted_whichever_it_is(left_out):
    names = [name for number, name in enumerate(NAMES) if number != left_out]
    missing = 0 if left_out == 6 else 1  # the last is not missing: nothing came after it
    assert received.count_missing(names, NAMES[0], 16 * MB) == missing


def test_segments_from_before_the_base_backup_are_not_asked_for():
    assert received.count_missing(NAMES[:2] + NAMES[3:], NAMES[4], 16 * MB) == 0
    assert received.count_missing([], NAMES[4], 16 * MB) == 0
    assert [received.following(name, 16 * MB) for name in NAMES[:-1]] == [n[8:] for n in NAMES[1:]]


@pytest.mark.deep
def test_a_receiver_that_was_off_for_too_long_says_so_and_goes_on_behind_the_gap(
    me, tmp_path, run_check
):
    """The slot may hold 40 MB here: the server fills no disk, and what follows is told."""
    bound = {"max_slot_wal_keep_size": "40MB", "min_wal_size": "32MB", "wal_recycle": "off"}
    with use_server(tmp_path / "live", bound) as live:
        run_sql(live.url, SMALL)
        backups = tmp_path / "backups"
        environ = {"DATABASE_URL": address(live.url), "BACKUP_DIR": str(backups)}
        environ["BACKUP_LOG"] = str(tmp_path / "backup.log")
        context = context_on(live.url, backups, RunLog(tmp_path / "log", SYSTEM_CLOCK))
        check = PosWal(url=address(live.url), location=backups)

        def look():
            return run_check(check, now=datetime.now(UTC))

        assert look().message == "not in use"
        with receiving(me, environ, live.url):
            with context.storage.lock() as lock:
                create_base_backup(context, lock)
            wait_until(lambda: read_coverage(context.storage).known is not None, 60)
            assert look().status is Status.HEALTHY, look().message
        # The server ends what has sent to it a moment after the receiver has.
        wait_until(lambda: "nothing receives what is written" in (look().message or ""), 60)
        for _ in range(6):
            run_sql(live.url, "SELECT pg_logical_emit_message(false, 'test', repeat('x', 100000))")
            run_sql(live.url, "SELECT pg_switch_wal()")
        run_sql(live.url, "CHECKPOINT")
        wait_until(lambda: "the slot is lost" in (look().message or ""), 60)

        with receiving(me, environ, live.url):
            assert "A part of what was written is lost" in (tmp_path / "backup.log").read_text()
            assert list((backups / "wal" / received.BEFORE_GAP).iterdir())
            run_sql(live.url, "SELECT pg_switch_wal()")
            wait_until(lambda: received.list_segments(backups / "wal"))
            missing = "segments are missing: posapp backup base"
            wait_until(lambda: missing in (look().message or ""), 60)  # once they are signed
            with context.storage.lock() as lock:
                create_base_backup(context, lock)
            wait_until(lambda: look().status is Status.HEALTHY, 60)
            listed = me.run("backup", "list", environ=environ)
            assert "To a moment (--at): every moment from" in listed.stdout


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        ([], None),
        (["000000010000000000000003.partial"], "0000000000000003"),
        (["0000000100000000000000FF"], "0000000100000000"),
        (["000000010000000000000003", "000000010000000000000004.partial"], "0000000000000004"),
        (["000000010000000000000004", "000000010000000000000004.partial"], "0000000000000005"),
        (["000000010000000000000003.gz.age", "00000002.history"], "0000000000000004"),
    ],
)
def test_it_is_known_what_a_receiver_asks_for_next(tmp_path, names, asked):
    for name in names:
        (tmp_path / name).touch()
    assert received.asked_for(tmp_path, 16 * MB) == asked


@pytest.mark.deep
def test_a_receiver_with_only_a_partial_segment_begins_anew_behind_a_gap(me, tmp_path):
    """The server has removed the very segment that is not whole here: it was asked for for ever."""
    with use_server(tmp_path / "live") as live:
        backups = tmp_path / "backups"
        environ = {"DATABASE_URL": address(live.url), "BACKUP_DIR": str(backups)}
        environ["BACKUP_LOG"] = str(tmp_path / "backup.log")
        wal = backups / "wal"
        wal.mkdir(parents=True, mode=0o700)
        partial = (
            "000000010000000000000000.partial"  # no server ever has the segment before its first
        )
        (wal / partial).write_bytes(bytes(16 * MB))
        with receiving(me, environ, live.url):
            assert "A part of what was written is lost" in (tmp_path / "backup.log").read_text()
            assert (wal / received.BEFORE_GAP / partial).exists()
            wait_until(lambda: [path for path in wal.iterdir() if path.suffix == ".partial"])


@pytest.mark.deep
def test_a_slot_that_is_lost_while_it_receives_is_made_anew_and_it_goes_on(me, tmp_path):
    """A slot that may hold 2 MB is lost as soon as the server is a segment ahead of it."""
    bound = {"max_slot_wal_keep_size": "2MB", "min_wal_size": "32MB", "wal_recycle": "off"}
    with use_server(tmp_path / "live", bound) as live:
        run_sql(live.url, SMALL)
        backups = tmp_path / "backups"
        environ = {"DATABASE_URL": address(live.url), "BACKUP_DIR": str(backups)}
        environ["BACKUP_LOG"] = str(tmp_path / "backup.log")
        context = context_on(live.url, backups, RunLog(tmp_path / "log", SYSTEM_CLOCK))
        with receiving(me, environ, live.url) as process:
            wait_until(lambda: read_coverage(context.storage).known is not None, 60)
            (backups / "wal" / KNOWN).unlink()
            receiver = next(
                one
                for one in psutil.Process(process.pid).children(recursive=True)
                if one.name() == "pg_receivewal"
            )
            receiver.suspend()
            try:
                for _ in range(3):
                    emit = "SELECT pg_logical_emit_message(false, 'test', repeat('x', 100000))"
                    run_sql(live.url, emit)
                    run_sql(live.url, "SELECT pg_switch_wal()")
                checkpoint = threading.Thread(target=run_sql, args=(live.url, "CHECKPOINT"))
                checkpoint.start()  # it waits for whoever sends to the receiver
                wait_until(lambda: "to release replication slot" in live.log.read_text(), 60)
            finally:
                receiver.resume()
            checkpoint.join()
            assert "invalidating obsolete replication slot" in live.log.read_text()
            wait_until(lambda: read_coverage(context.storage).known is not None, 60)
