"""Any moment since a base backup can be had again, by PostgreSQL's own programs."""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from sqlalchemy.engine import URL

from healthkit import SYSTEM_CLOCK
from healthkit.testing import wait_until
from posapp import JAKARTA
from posapp.backup.base_backup import (
    choose_base,
    create_base_backup,
    list_base_backups,
)
from posapp.backup.context import RunLog
from posapp.backup.errors import BackupError, Refused
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.receiver import receive_wal
from posapp.backup.recovery import (
    KNOWN,
    Mark,
    Received,
    known_until,
    mark_live,
    note_known,
    recovered,
)
from posapp.backup.signing import SigningKey
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.wal_signing import WalKey, beside, make_plan
from posapp.runtime.postgres import use_server
from tests.backup.kit import KEY, SMALL, address, context_on, run_sql
from tests.users import User


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


@pytest.mark.deep
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
        since = me.run("restore", "--at", quiet, environ=environ, typed="y")
        assert since.returncode == 0, since.stderr
        shown = datetime.fromisoformat(quiet).astimezone(JAKARTA)
        assert f"by its state of {shown:%Y-%m-%d %H:%M:%S}" in since.stderr
        assert run_sql(live, "SELECT count(*) FROM guests") == [(52,)]
        assert list((tmp_path / "backups").glob("fetched/*")) == []
    finally:
        receiving.send_signal(signal.SIGTERM)
        receiving.communicate(timeout=60)
    assert receiving.returncode == 0
    assert not psutil.pid_exists(receiving.pid)


@dataclass
class Kept:
    """A server whose changes are received, with a base backup."""

    url: URL
    storage: FolderStorage
    process: subprocess.Popen

    @property
    def wal(self):
        return self.storage.root / "wal"

    def written(self, name):
        """Adds a guest; the moment after. The next one comes into another segment."""
        run_sql(self.url, f"INSERT INTO guests SELECT max(id) + 1, '{name}' FROM guests")
        (at,) = run_sql(self.url, "SELECT clock_timestamp()")[0]
        run_sql(self.url, "SELECT pg_switch_wal()")
        run_sql(self.url, "SELECT pg_logical_emit_message(true, 'test', 'in the next segment')")
        wait_until(lambda: received(self.url))
        return at + timedelta(milliseconds=1)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """In a folder whose name has all that means something to a shell, or to PostgreSQL's files."""
    folder = tmp_path_factory.mktemp("kept")
    backups = folder / 'it\'s %p \\ "$(touch x)" `x`'
    with use_server(folder / "live") as one:
        run_sql(one.url, SMALL)
        environ = {"DATABASE_URL": address(one.url), "BACKUP_DIR": str(backups)}
        environ["BACKUP_LOG"] = str(folder / "backup.log")
        me = User(os.geteuid(), os.getegid(), sys.executable, folder)
        process = me.start("-m", "posapp", "backup", "receive-wal", environ=environ)
        try:
            wait_until(lambda: received(one.url), 30)
            context = context_on(one.url, backups, RunLog(folder / "log", SYSTEM_CLOCK))
            with context.storage.lock() as lock:
                create_base_backup(context, lock)
            ended = list_base_backups(context.storage)[0].at
            wait_until(lambda: datetime.now(UTC) > ended)
            yield Kept(one.url, context.storage, process)
        finally:
            process.terminate()
            process.communicate(timeout=60)


@pytest.fixture
def guests_at(kept, tmp_path):
    """The guests as they were at a moment, from a copy of what was received, which `spoil` may
    change first; and the moment that was recovered."""

    numbers = itertools.count()

    def guests(target, spoil=None, live=None, signed=False):
        copy = tmp_path / f"wal{next(numbers)}"
        copy_received(kept.wal, copy)
        if spoil:
            spoil(copy)
        (base,) = list_base_backups(kept.storage)
        log = RunLog(tmp_path / "log", SYSTEM_CLOCK)
        found = Received(copy, key=key_of(kept) if signed else None)
        with recovered(base.path, found, target, live, log) as server:
            ((count,),) = run_sql(server.client.url, "SELECT count(*) FROM guests")
            return count, server.at

    return guests


def copy_received(wal, target):
    """Copies what lies there while the receiver goes on: signatures first, as whoever restores
    reads them."""
    for path in sorted(wal.rglob("*"), key=lambda path: path.suffix != ".sig"):
        copy = target / path.relative_to(wal)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if path.is_file():
                shutil.copy(path, copy)


def key_of(kept):
    (base,) = list_base_backups(kept.storage)
    return WalKey(SigningKey(KEY), base.manifest.system_identifier)


def all_is_signed(kept, scratch):
    """Whether all that has been written so far has been received, and signed there."""
    ((written,),) = run_sql(kept.url, "SELECT pg_current_wal_flush_lsn() - '0/0'")
    return make_plan([kept.wal], key_of(kept), scratch, 16 << 20).reaches(int(written))


def segments(wal):
    return sorted(path for path in wal.iterdir() if re.fullmatch(r"[0-9A-F]{24}", path.name))


@pytest.mark.deep
def test_the_state_of_a_moment_is_had_or_refused_where_a_segment_is_missing(kept, guests_at):
    """Whichever of them it is: what came before the gap is known, what came after is not."""
    ((before,),) = run_sql(kept.url, "SELECT count(*) FROM guests")
    first, _, third = (kept.written(name) for name in ("satu", "dua", "tiga"))
    gone = segments(kept.wal)[-1].name
    assert guests_at(first, lambda wal: (wal / gone).unlink()) == (before + 1, first)
    with pytest.raises(BackupError, match=r"is not known: .*without a gap, ends .*nothing was ch"):
        guests_at(third, lambda wal: (wal / gone).unlink())


@pytest.mark.deep
def test_the_latest_is_refused_where_later_segments_lie_behind_a_gap(kept, guests_at):
    kept.written("empat")
    kept.written("lima")
    gone = segments(kept.wal)[-2].name

    def spoil(wal):
        (wal / gone).unlink()
        (wal / KNOWN).unlink(missing_ok=True)

    with pytest.raises(BackupError, match="the latest is not known"):
        guests_at(None, spoil)


def test_a_copy_that_fails_is_not_the_end_of_what_was_written(kept, guests_at):
    at = kept.written("enam")
    last = segments(kept.wal)[-1].name

    def spoil(wal):
        (wal / last).unlink()
        (wal / last).mkdir()

    with pytest.raises(BackupError, match="could not restore file"):
        guests_at(at, spoil)


@pytest.mark.deep
def test_what_was_received_is_signed_to_the_last_commit_within_a_moment(
    kept, guests_at, log, tmp_path
):
    at = kept.written("delapan")
    ((count,),) = run_sql(kept.url, "SELECT count(*) FROM guests")
    live = mark_live(PostgresClient(kept.url), log)
    wait_until(lambda: all_is_signed(kept, tmp_path))
    assert guests_at(None, live=live, signed=True)[0] == count
    assert guests_at(at, signed=True) == (count, at)


@pytest.mark.deep
@pytest.mark.parametrize("change", ["a byte", "the signature", "no signature", "of another one"])
def test_a_segment_that_is_not_what_was_signed_is_given_to_no_server(
    kept, guests_at, tmp_path, change
):
    """A server runs what is in it, as whoever owns its data."""
    kept.written("sembilan")
    at = kept.written("sepuluh")
    previous, last = segments(kept.wal)[-2:]

    def spoil(wal):
        segment = wal / last.name
        signature = beside(segment)
        if change == "a byte":
            content = bytearray(segment.read_bytes())
            content[len(content) // 2] ^= 1
            segment.write_bytes(content)
        elif change == "the signature":
            signature.write_bytes(signature.read_bytes().replace(b" ", b" 0", 1))
        elif change == "no signature":
            signature.unlink()
        else:
            shutil.copy(wal / previous.name, segment)
            shutil.copy(beside(wal / previous.name), signature)

    wait_until(lambda: all_is_signed(kept, tmp_path))
    assert guests_at(at, signed=True)[1] == at
    with pytest.raises(BackupError, match=f"{last.name}: not signed by BACKUP_KEY.*--unsigned"):
        guests_at(at, spoil, signed=True)
    if change in ("the signature", "no signature"):
        assert guests_at(at, spoil)[1] == at  # as --unsigned does


@pytest.mark.deep
def test_a_quiet_hour_is_known_because_marks_are_received_in_it(kept, guests_at):
    """The server is lost afterwards: nobody can ask it any more."""
    ((count,),) = run_sql(kept.url, "SELECT count(*) FROM guests")
    kept.written("tujuh")
    quiet = datetime.now(UTC)
    note_known(PostgresClient(kept.url), kept.wal, SYSTEM_CLOCK)
    assert known_until(kept.wal).at > quiet
    assert guests_at(quiet) == (count + 1, quiet)


def test_changes_of_two_servers_are_not_mixed(kept, tmp_path, log):
    context = context_on(kept.url, tmp_path, log)
    other = Mark(datetime.now(UTC), 1, "4711")
    (context.storage.prepare("wal") / KNOWN).write_bytes(other.dump())
    with pytest.raises(Refused, match="holds WAL of another server"):
        receive_wal(context)


@pytest.mark.deep
def test_what_the_live_server_wrote_after_the_receiver_stopped_is_missed(kept, guests_at, log):
    """The last of this file: it stops the receiver, as it was stopped a week ago."""
    kept.process.terminate()
    kept.process.wait(60)
    run_sql(kept.url, "INSERT INTO guests SELECT max(id) + 1, 'hilang' FROM guests")
    now = datetime.now(UTC)
    live = mark_live(PostgresClient(kept.url), log)
    assert "is receive-wal running?" in log.path.read_text()
    with pytest.raises(BackupError, match="is not known"):
        guests_at(now, live=live)
    with pytest.raises(BackupError, match="and more was written"):
        guests_at(None, live=live)


@pytest.mark.deep
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


@pytest.mark.deep
def test_a_base_backup_made_after_the_clock_was_put_right_is_kept_and_the_newest(
    live, tmp_path, log, clock
):
    context = context_on(live, tmp_path / "backups", log)
    storage, made = context.storage, []
    clock.forward(days=400)
    for step in (7, -400, 7):
        with storage.lock() as lock:
            made.append(create_base_backup(context, lock))
        clock.forward(days=step)
        assert made[-1].path.is_dir()
    assert list_base_backups(storage) == made[1:]
    assert choose_base(list_base_backups(storage), None) == made[2]
