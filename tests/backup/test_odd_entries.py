"""One odd entry ends nothing: it is named as unreadable, counts as not good, and is told once."""

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthkit_backup_freshness import BackupFreshness
from posapp.backup.cli_restore import mark_restored
from posapp.backup.context import open_context
from posapp.backup.errors import BackupError
from posapp.backup.listing import listing
from posapp.backup.model.backup import BackupName
from posapp.backup.model.manifest import Manifest
from posapp.backup.recovery import Mark
from posapp.backup.storage.folder import FolderStorage
from posapp.cli import main
from tests.backup.kit import (
    KEY,
    NOON,
    address,
    context_on,
    in_bucket,
    make,
    manifest_for,
    refusing,
    rewrite,
    settings_of,
)
from tests.observability.sinks import sink

ODD = BackupName(NOON - timedelta(days=2), "daily")
WHOLE = manifest_for(ODD)


ENTRIES = {
    "a folder": lambda dump, manifest: dump.mkdir(),
    "a link": lambda dump, manifest: dump.symlink_to("/etc/passwd"),
    "a link to nothing": lambda dump, manifest: dump.symlink_to("nowhere"),
    "a link to itself": lambda dump, manifest: dump.symlink_to(dump),
    "a pipe": lambda dump, manifest: os.mkfifo(dump),
    "a manifest that is a folder": lambda dump, manifest: (dump.touch(), manifest.mkdir()),
    "a manifest that is a pipe": lambda dump, manifest: (dump.touch(), os.mkfifo(manifest)),
    "a manifest that is a loop": lambda d, manifest: (d.touch(), manifest.symlink_to(manifest)),
    "a device": lambda dump, manifest: (dump.touch(), manifest.symlink_to("/dev/zero")),
}


@pytest.fixture
def daily(tmp_path):
    folder = tmp_path / "daily"
    folder.mkdir()
    return folder


@pytest.fixture
def check(run_check):
    def look(folder):
        return run_check(BackupFreshness(location=str(folder), min_size="1B"), now=NOON)

    return look


@pytest.mark.parametrize("kind", ENTRIES)
def test_whatever_lies_there_the_list_the_check_and_the_next_backup_go_on(
    small, tmp_path, log, clock, daily, check, kind
):
    first = make("daily", context_on(small, tmp_path, log))
    ENTRIES[kind](daily / str(ODD), daily / ODD.manifest)
    found = FolderStorage(tmp_path).list_backups()
    assert [one.name for one in found] == [ODD, first.name]
    assert found[0].problem
    assert not found[0].intact
    assert f"unreadable: {found[0].problem}" in listing(found, NOON)
    assert "newest" in check(daily).details
    clock.forward(days=1)
    second = make("daily", context_on(small, tmp_path, log))
    assert second.intact
    clock.forward(days=1)
    make("daily", context_on(small, tmp_path, log))
    text = log.path.read_text()
    assert text.count(f"Unreadable backups: daily/{ODD}: ") == 1  # once, not every night


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_named(tmp_path, daily):
    (daily / str(ODD)).touch()
    (daily / ODD.manifest).touch(mode=0)
    assert "Permission denied" in FolderStorage(tmp_path).list_backups()[0].problem


texts = st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
).map(lambda value: json.dumps(value).encode())
moments = st.sampled_from(
    ["0001-01-01T00:00:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "-1", "1e400"]
)
changed = st.dictionaries(
    st.sampled_from(sorted(Manifest.model_fields)),
    moments | st.integers() | st.none() | st.text(max_size=9) | st.lists(st.integers(), max_size=2),
    max_size=4,
).map(lambda changes: json.dumps({**json.loads(WHOLE.dump()), **changes}).encode())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts | changed)
def test_any_bytes_as_a_manifest_are_a_manifest_or_none(daily, tmp_path, check, text):
    (daily / str(ODD)).write_bytes(b"x")
    (daily / ODD.manifest).write_bytes(text)
    (found,) = FolderStorage(tmp_path).list_backups()
    listing([found], NOON)
    assert found.intact in (True, False)
    check(daily)


@given(st.text("0123456789", min_size=8, max_size=8), st.text("0123456789", min_size=6, max_size=6))
def test_any_digits_are_a_name_that_can_be_shown_or_none(day, time):
    name = BackupName.parse(f"steak_kenangan_daily_{day}_{time}.dump.gz")
    assert name is None or str(name) == f"steak_kenangan_daily_{day}_{time}.dump.gz"
    path = Path(f"steak_kenangan_daily_{day}_{time}.dump.gz")
    assert path.name == (str(name) if name else path.name)


@pytest.mark.deep
@pytest.mark.parametrize(
    "changes",
    [
        {"size_bytes": 10**400},
        {"database_bytes": 1 << 62},
        {"restored_seconds": 1e300},
        {"restored_seconds": float("inf")},
        {"created_at": "9999-12-31T23:59:59-12:00"},
        {"created_at": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_numbers_that_nothing_could_have_make_no_manifest(changes):
    assert Manifest.parse(json.dumps({**json.loads(WHOLE.dump()), **changes}).encode()) is None


@pytest.mark.parametrize("signature", ["é", "\x00", "", "0" * 64, "🥩" * 1000])
def test_any_text_is_a_signature_that_is_not_ours(daily, tmp_path, log, signature):
    """Who can write to a bucket can write that too."""
    (daily / str(ODD)).write_bytes(b"x")
    (daily / ODD.manifest).write_text(
        json.dumps({**json.loads(WHOLE.dump()), "signature": signature})
    )
    (found,) = FolderStorage(tmp_path).list_backups()
    assert found.intact
    assert not context_on(None, tmp_path, log).is_good(found)


@pytest.mark.parametrize(
    "text",
    [
        b'{"at": "2025-12-26T05:00:00Z", "lsn": Infinity, "system": "1"}',
        b'{"at": "2025-12-26T05:00:00Z", "lsn": 1e999, "system": "1"}',
        b'{"at": "9999-12-31T23:59:59-12:00", "lsn": 1, "system": "1"}',
        b'{"at": "0001-01-01T00:00:00", "lsn": 1, "system": "1"}',
        b"[" * 100_000,
        b"7",
    ],
)
def test_a_mark_of_the_receiver_that_is_none_is_none(text):
    assert Mark.parse(text) is None


@pytest.mark.parametrize(
    "code",
    [
        "InvalidObjectState",
        *(
            pytest.param(code, marks=pytest.mark.deep)
            for code in ("AccessDenied", "InvalidRequest", "KMS.DisabledException")
        ),
    ],
)
def test_an_object_that_is_refused_hides_no_other(
    small, tmp_path, log, clock, s3, code, monkeypatch
):
    """As an object in GLACIER is, one of another owner's, one that is encrypted with a key that
    its writer alone has, or with one that was switched off."""
    first = make("daily", context_on(small, tmp_path, log, s3.bucket()))
    clock.forward(days=1)
    second = make("daily", context_on(small, tmp_path, log, s3.bucket()))
    refusing(monkeypatch, lambda operation, key: operation == "GetObject" and "1226_" in key, code)
    found = s3.bucket().list_backups()
    assert [one.name.at for one in found] == [first.name.at, second.name.at]
    assert found[0].problem
    assert found[1].intact
    clock.forward(days=1)
    assert make("daily", context_on(small, tmp_path, log, s3.bucket())).intact


@pytest.mark.deep
def test_an_error_that_is_not_of_one_object_alone_is_an_error_of_the_bucket(
    small, tmp_path, log, s3, monkeypatch
):
    make("daily", context_on(small, tmp_path, log, s3.bucket()))
    refusing(monkeypatch, lambda operation, key: operation == "GetObject", "ExpiredToken")
    with pytest.raises(BackupError, match="ExpiredToken"):
        assert s3.bucket().list_backups()[0].manifest


# Housekeeping is not the backup


LEAST = {"PutObject", "GetObject", "HeadObject", "ListObjectsV2"}
"""And for large files the multipart calls, which S3 counts as PutObject."""


@pytest.mark.deep
def test_a_key_with_the_least_rights_makes_and_uploads_backups(
    small, tmp_path, log, clock, s3, monkeypatch
):
    refusing(monkeypatch, lambda operation, key: operation not in LEAST)
    with sink() as webhook:
        for _ in range(3):
            context = context_on(small, tmp_path, log, s3.bucket())
            settings = settings_of(tmp_path, ALERT_WEBHOOK=f"http://{webhook.url}/x")
            object.__setattr__(context.notifications, "settings", settings)
            backup = make("daily", context)
            clock.forward(days=8)
        events = [json.loads(body) for _, body in webhook.received]
    assert len([one for one in s3.bucket().list_backups() if one.intact]) == 3
    assert len(FolderStorage(tmp_path).list_backups()) == 1
    assert backup.manifest.uploaded_at
    assert {event["event"] for event in events} == {"backup-warning"}
    text = "\n".join(event["text"] for event in events)
    assert text.count("Not cleaned up in the bucket: unfinished uploads: ") == 1
    assert text.count("Not removed in the bucket: daily/") == 2  # each by its name, once


@pytest.mark.deep
def test_a_bucket_that_keeps_all_for_good_and_expires_by_itself_is_one_too(
    small, tmp_path, log, clock, s3, monkeypatch
):
    """What was sent can be neither overwritten nor removed; an upload that was killed goes on."""
    sent = set()

    def refused(operation, key):
        if operation == "DeleteObjects" or (operation == "PutObject" and key in sent):
            return True
        sent.update([key] if operation == "PutObject" else [])
        return False

    refusing(monkeypatch, refused)
    first, second = (_made_on(small, tmp_path, log, clock, s3) for _ in range(2))
    for key in (in_bucket(first).key, in_bucket(first).key_of(in_bucket(first).manifest)):
        s3.client.delete_object(Bucket=s3.name, Key=key)  # expired
    killed = in_bucket(second).key_of(in_bucket(second).manifest)  # before its manifest was sent
    s3.client.delete_object(Bucket=s3.name, Key=killed)
    sent.remove(killed)
    rewrite(second, tmp_path, uploaded_at=None)
    third = _made_on(small, tmp_path, log, clock, s3)
    found = s3.bucket().list_backups()
    assert [one.name.plain for one in found if one.intact] == [second.name, third.name]
    assert all(one.manifest.uploaded_at for one in FolderStorage(tmp_path).list_backups())

    context = context_on(small, tmp_path, log, s3.bucket(), **s3.environ)
    mark_restored(found[-1], context, clock.now(), "PostgreSQL 18.6", 7.0)
    assert FolderStorage(tmp_path).list_backups()[-1].manifest.restored_at == clock.now()
    assert log.path.read_text().count("Not marked as restored: ") == 1


def _made_on(small, folder, log, clock, s3):
    clock.forward(days=8)
    return make("daily", context_on(small, folder, log, s3.bucket()))


def test_a_file_that_may_not_be_removed_fails_no_backup(small, tmp_path, log, clock, monkeypatch):
    first = make("daily", context_on(small, tmp_path, log))
    clock.forward(days=9)
    remove = FolderStorage.remove

    def refuse(self, name):
        if name == first.name:
            raise BackupError("Operation not permitted")
        remove(self, name)

    monkeypatch.setattr(FolderStorage, "remove", refuse)
    for _ in range(2):
        assert make("daily", context_on(small, tmp_path, log)).intact
        clock.forward(hours=1)
    assert log.path.read_text().count("Operation not permitted") == 1


# Whatever fails is told


@pytest.mark.parametrize(
    "error",
    [
        *(BackupError("x"), OSError(5, "x"), ValueError("x"), RecursionError("x"), MemoryError()),
        *(KeyboardInterrupt(), psycopg2.InterfaceError("x"), AssertionError(), SystemExit(3)),
        *(UnicodeDecodeError("ascii", b"\xff", 0, 1, "x"), OverflowError("x")),
    ],
    ids=repr,
)
def test_any_error_of_a_run_reaches_log_and_webhook(tmp_path, clock, error):
    with sink() as webhook:
        environ = {
            "BACKUP_DIR": str(tmp_path),
            "BACKUP_LOG": str(tmp_path / "log"),
            "ALERT_WEBHOOK": f"http://{webhook.url}/x",
        }
        with (
            pytest.raises(type(error)),
            open_context(environ, clock, run="Backup (daily)"),
        ):
            raise error
        ((_, body),) = webhook.received
    assert json.loads(body)["event"] == "backup-failed"
    assert "❌ Backup (daily) failed: " in json.loads(body)["text"]
    assert "❌ Backup (daily) failed: " in (tmp_path / "log").read_text()


def test_a_lock_that_is_held_for_longer_than_two_runs_is_told(tmp_path):
    with sink() as webhook:
        environ = {
            "BACKUP_DIR": str(tmp_path),
            "BACKUP_LOG": str(tmp_path / "log"),
            "ALERT_WEBHOOK": f"http://{webhook.url}/x",
        }
        with FolderStorage(tmp_path).lock():
            run = CliRunner(env=environ).invoke
            assert run(main, ["backup", "daily"]).exit_code == 75
            assert webhook.received == []
            long_ago = datetime.now(UTC).timestamp() - 1201
            os.utime(tmp_path / ".lock", (long_ago, long_ago))
            assert run(main, ["backup", "daily"]).exit_code == 75
        ((_, body),) = webhook.received
    assert json.loads(body)["event"] == "backup-blocked"
    assert "could not run: another backup or restore is running" in json.loads(body)["text"]


def test_all_that_is_written_is_for_its_user_alone_from_the_first_command_on(small, tmp_path, log):
    umask = os.umask(0)
    try:
        make("daily", context_on(small, tmp_path / "made" / "backups", log))
        for command in (["backup", "list"], ["backup", "verify"], ["backup", "daily"], ["restore"]):
            folder = tmp_path / f"first {' '.join(command)}"
            environ = {
                "DATABASE_URL": address(small),
                "BACKUP_DIR": str(folder / "backups"),
                "BACKUP_KEY": KEY,
            }
            CliRunner(env=environ).invoke(main, command)
    finally:
        os.umask(umask)
    open_to_others = [
        path
        for folder in ("made", *(path.name for path in tmp_path.glob("first *")))
        for path in (tmp_path / folder).rglob("*")
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
    ]
    assert open_to_others == []


def test_folders_that_others_could_enter_are_narrowed_and_their_files(small, tmp_path, log):
    """Made by hand, or by an older version; what is not ours stays as it is."""
    (tmp_path / "daily").mkdir(mode=0o755)
    (tmp_path / "photos").mkdir()
    old = tmp_path / "daily" / "steak_kenangan_daily_20250101_000000.dump.gz"
    old.write_bytes(b"an old dump")
    for path, mode in ((tmp_path / "daily", 0o755), (tmp_path / "photos", 0o755), (old, 0o644)):
        path.chmod(mode)
    make("daily", context_on(small, tmp_path, log))
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "daily", old)]
    assert modes == [0o700, 0o600]
    assert stat.S_IMODE((tmp_path / "photos").stat().st_mode) == 0o755
