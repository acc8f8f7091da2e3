"""A month of nights: two restaurants in one bucket, one on PostgreSQL 15, and all that goes wrong.

An enemy writes to the bucket, a key may not delete, a disk fills, programs are killed, the server
is off and what receives its changes stops. At its end every promised restore point and every moment
can be restored, nothing foreign was taken, and nobody has to find out by himself.
"""

import functools
import json
import random
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from healthkit import SYSTEM_CLOCK, Status
from healthkit.testing import wait_until
from posapp import JAKARTA
from posapp.backup import create, room
from posapp.backup.base_backup import create_base_backup, list_base_backups
from posapp.backup.context import open_context
from posapp.backup.errors import BackupError
from posapp.backup.model.backup import BackupName
from posapp.backup.model.restore_points import points_of_month
from posapp.backup.schedule import missed_jobs, timetable
from posapp.backup.storage import s3 as storage_s3
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.storage.lookup import find_backup
from posapp.operations.health import PosWal
from posapp.runtime.postgres import use_server
from tests.backup.kit import (
    KEY,
    SMALL,
    address,
    agree,
    manifest_for,
    receiving,
    refusing,
    restore,
    run_sql,
)
from tests.backup.test_month import promised
from tests.observability.sinks import sink

MONTH = datetime(2025, 12, 1, tzinfo=JAKARTA)
JOBS = [job for job in timetable("") if job.command[0] == "backup"]
FAULTS = ("disk full", "no S3", "killed", "no verify", "off")
KINDS = ("daily", "weekly", "monthly")


@dataclass
class House:
    """A restaurant: its database, its folder, and the nights of the backups that were made."""

    url: URL
    folder: Path
    key: str
    made: dict[BackupName, str] = field(default_factory=dict)
    failed: int = 0

    @property
    def identity(self) -> str:
        return run_sql(self.url, "SELECT identity FROM installation")[0][0]

    def storage(self) -> FolderStorage:
        return FolderStorage(self.folder)


@pytest.fixture
def houses(debian, tmp_path, s3):
    """One on the newest PostgreSQL and one on 15, in one bucket; each has a key of its own."""
    with use_server(tmp_path / "live") as live:
        run_sql(live.url, SMALL)
        yield {
            "barat": House(live.url, tmp_path / "barat", KEY),
            "timur": House(debian, tmp_path / "timur", KEY[::-1]),
        }


@pytest.fixture(autouse=True)
def one_client(monkeypatch):
    """boto3 takes as long to make a client as a backup takes here."""
    monkeypatch.setattr(storage_s3, "s3_client", functools.cache(storage_s3.s3_client))


def environ_of(house):
    return {
        "DATABASE_URL": address(house.url),
        "BACKUP_DIR": str(house.folder),
        "BACKUP_LOG": str(house.folder / "backup.log"),
        "POS_DATA_DIR": str(house.folder / "data"),
        "BACKUP_KEY": house.key,
        "HEALTHKIT_STORE": f"sqlite:///{house.folder}/store.db",
    }


@pytest.fixture
def opened(clock, s3):
    """The context of a command of a restaurant, at the time of the clock."""

    def open_one(house, run=None, clock=clock, **environ):
        return open_context({**environ_of(house), **s3.environ, **environ}, clock, run=run)

    return open_one


class Moments:
    """What a restaurant writes is received, but for some nights; each night's moment is noted. All
    of it by the server's own clock, which nobody moves."""

    def __init__(self, house, me, run_check):
        self._house, self._me, self._run_check = house, me, run_check
        self._choose, self._running = random.Random(3), ExitStack()
        self.receives = False
        self.noted: dict[str, datetime] = {}
        self.while_off: list[str] = []

    def start(self):
        self._running.enter_context(receiving(self._me, environ_of(self._house), self._house.url))
        self.receives = True

    def stop(self):
        self._running.close()
        self.receives = False

    def night(self, house, stamp):
        """Writes the stamp of a night; by chance, what receives it stops before, and that is told
        before anybody asks for a moment."""
        if house is self._house:
            self._stop_or_go_on(stamp)
        self.write(house, stamp)

    def write(self, house, stamp):
        run_sql(house.url, f"TRUNCATE night; INSERT INTO night VALUES ('{stamp}')")
        if house is self._house:
            (at,) = run_sql(house.url, "SELECT clock_timestamp()")[0]
            self.noted[stamp] = at + timedelta(milliseconds=1)

    def _stop_or_go_on(self, stamp):
        if not self.receives:
            self.start()
            self._wait(lambda found: found.status is Status.HEALTHY)
        elif self._choose.random() < 0.3:
            self.stop()
            self._wait(lambda found: "nothing receives what is written" in (found.message or ""))
            self.while_off.append(stamp)

    def restore(self, stamp):
        at = self.noted[stamp].isoformat()
        return self._me.run(
            "restore", "--at", at, "--skip-confirm", environ=environ_of(self._house)
        )

    def _wait(self, so):
        check = PosWal(url=address(self._house.url), location=self._house.folder)
        wait_until(lambda: so(self._run_check(check, now=datetime.now(UTC))), 60)


@pytest.fixture
def moments(houses, opened, me, run_check):
    house = houses["barat"]
    found = Moments(house, me, run_check)
    found.start()
    with opened(house, clock=SYSTEM_CLOCK) as context, context.storage.lock() as lock:
        create_base_backup(context, lock)
        ended = list_base_backups(context.storage)[0].at
    wait_until(lambda: datetime.now(UTC) > ended)  # it is named by whole seconds
    yield found
    found.stop()


@pytest.mark.deep
@pytest.mark.fault
@pytest.mark.timeout(600)
def test_after_a_month_of_everything_what_was_promised_is_there_and_nothing_went_untold(
    houses, opened, moments, clock, s3, monkeypatch
):
    choose, seen = random.Random(15), set()
    denied = {"now": False}
    refusing(monkeypatch, lambda operation, key: denied["now"] and operation == "DeleteObjects")
    for house in houses.values():
        run_sql(house.url, "CREATE TABLE night (at text)")
    with sink() as webhook:
        alert = {"ALERT_WEBHOOK": f"http://{webhook.url}/x"}
        for day in range(31):
            night = MONTH + timedelta(days=day)
            denied["now"] = 10 <= day < 20
            for name, house in houses.items():
                stamp = f"{name} {night:%Y-%m-%d}"
                moments.night(house, stamp)
                fault = choose.choice(FAULTS) if choose.random() < 0.4 else None
                seen.add(fault)
                if fault == "off":
                    continue
                starts = night + timedelta(hours=4, minutes=choose.randrange(1, 50))
                for job in missed_jobs(JOBS, house.storage().list_backups(), starts):
                    clock.moment = starts
                    a_run(fault, job.name, house, opened, monkeypatch, alert)
                for backup in house.storage().list_backups():
                    house.made.setdefault(backup.name, stamp)
            the_enemy(choose, houses, s3, night)
        events = [json.loads(body) for _, body in webhook.received]
    assert seen == {*FAULTS, None}
    _everything_was_told(houses, events)
    denied["now"] = False
    clock.moment = datetime(2026, 1, 1, 1, 0, tzinfo=JAKARTA)
    for name, house in houses.items():
        _what_was_promised_is_there(name, house, opened, clock, s3)
    _moments_are_had_or_refused(moments, houses["barat"])
    for house in houses.values():
        _it_is_restored_for_real(house, opened, choose, clock)


def a_run(fault, kind, house, opened, monkeypatch, alert):
    """One run of the schedule, as its process has it; whatever ends it is counted."""
    environ = dict(alert)
    with monkeypatch.context() as patch:
        if fault == "disk full":
            patch.setattr(create.room, "free_of", lambda folder: 10)
        elif fault == "no S3":
            environ["BACKUP_S3_ENDPOINT"] = "http://127.0.0.1:1"
            environ["BACKUP_S3_SECRET_KEY"] = "another"  # and another client
        elif fault == "no verify":
            patch.setattr(create, "_verify_written", _fail)
        elif fault == "killed":
            patch.setattr(create, "fsync_folder", _terminated)
        try:
            with (
                opened(house, run=f"Backup ({kind})", **environ) as context,
                context.storage.lock() as lock,
            ):
                create.create_backup(kind, context, lock)
        except (BackupError, KeyError):
            house.failed += 1
            if fault is None:
                raise
        else:
            assert fault is None


def _fail(*arguments):
    raise KeyError("an error that nobody has thought of")


def _terminated(folder):
    raise BackupError("stopped by SIGTERM")


def the_enemy(choose, houses, s3, night):
    """Has the keys of the bucket, and neither BACKUP_KEY."""
    house = choose.choice(list(houses.values()))
    at = (night + timedelta(days=400 if choose.random() < 0.5 else 0, hours=5)).astimezone()
    body = b"\x1f\x8b an enemy's dump"

    def put(key, content):
        s3.client.put_object(Bucket=s3.name, Key=key, Body=content)

    name = BackupName(at.replace(microsecond=0), "daily", identity=house.identity)
    signed_by_himself = manifest_for(
        name.plain, identity=house.identity, size_bytes=len(body), signature="0" * 64
    )
    put(name.key, body)
    put(name.key_of(name.manifest), signed_by_himself.dump())
    put(f"base/{house.identity}/4711/base_20990101_000000/base.json", b"{}")
    put(f"wal/{house.identity}/4711/000000010000000000000001.gz", body)
    put("daily/../../etc/passwd", b"x")
    keys = s3.keys()
    old = [key for key in keys if key.startswith(("daily/", "weekly/")) and "2025" in key]
    put(choose.choice(old), body)  # over whatever it is


def _everything_was_told(houses, events):
    failures = [one for one in events if one["event"] == "backup-failed"]
    assert len(failures) == sum(house.failed for house in houses.values())
    texts = "\n".join(one["text"] for one in failures)
    for cause in (
        "reserve",
        "not uploaded",
        "KeyError: 'an error that nobody has thought of'",
        "stopped by SIGTERM",
    ):
        assert cause in texts, texts
    warnings = "\n".join(one["text"] for one in events if one["event"] == "backup-warning")
    assert "Not removed in the bucket" in warnings


def _what_was_promised_is_there(name, house, opened, clock, s3):
    with opened(house) as context:
        local = {one.name for one in context.storage.list_backups() if context.is_good(one)}
        there = {one.name.plain for one in s3.bucket().list_backups() if context.is_good(one)}
        for kind in KINDS:
            made = sorted(one for one in house.made if one.kind == kind)
            assert promised(kind, made, clock.now()) <= local
            assert any(one.kind == kind for one in there), "none in the bucket"
        # On a new machine, from the bucket alone: the newest that the enemy has left whole.
        found = find_backup(f"s3://{s3.name}", context.settings, context.own, context.is_good)
        assert found.name.plain in house.made
        assert found.name.identity == house.identity
        points = points_of_month(MONTH.date(), clock.now(), [*_all(context)], context.is_good)
    missing = [point for point in points if point.status == "missing"]
    nights = set(house.made.values())
    assert all(f"{name} {point.due:%Y-%m-%d}" not in nights for point in missing)


def _moments_are_had_or_refused(moments, house):
    """What was written while nothing received is refused until it has come, and nothing older is
    taken in its place."""
    last = moments.while_off[-1]
    if moments.receives:
        moments.stop()
    stamp = "barat at last"
    moments.write(house, stamp)
    refused = moments.restore(stamp)
    assert refused.returncode == 1, refused.stderr
    assert run_sql(house.url, "SELECT at FROM night") == [(stamp,)]
    moments.start()
    others = random.Random(5).sample(list(moments.noted), 2)
    for wanted in (stamp, last, moments.while_off[0], *others):
        done = moments.restore(wanted)
        assert done.returncode == 0, done.stderr
        assert run_sql(house.url, "SELECT at FROM night") == [(wanted,)]


def _all(context):
    return (one for storage in context.storages for one in storage.list_backups())


def _it_is_restored_for_real(house, opened, choose, clock):
    """Two of each kind take the place of the live database, and are that night's."""
    identity = house.identity
    with opened(house) as context:
        found = [one for one in context.storage.list_backups() if one.kind in KINDS]
        for kind in KINDS:
            of_kind = [one for one in found if one.kind == kind]
            for backup in choose.sample(of_kind, min(2, len(of_kind))):
                clock.forward(minutes=1)
                restore(backup, context, confirm=agree)
                assert run_sql(house.url, "SELECT at FROM night") == [(house.made[backup.name],)]
                assert house.identity == identity
    assert room.free_of(house.folder) > 10
