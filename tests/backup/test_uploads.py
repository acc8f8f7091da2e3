"""A large dump is on its way to the bucket while it is verified, and nobody sees it before."""

import threading
from dataclasses import replace
from pathlib import Path

import botocore.client
import pytest

from posapp.backup import create
from posapp.backup.errors import BackupError
from posapp.backup.storage import s3 as s3_storage
from posapp.backup.storage.staged import PART, StagedUpload
from tests.backup.kit import context_on, in_bucket, make, parts, refusing, run_sql

SNAPSHOTS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL
"""


@pytest.fixture
def large(small, monkeypatch):
    """A database whose dumps count as large."""
    monkeypatch.setattr(s3_storage, "STAGED_FROM", 1)
    return small


class Calls(list):
    """The calls to S3 by their names, in order; whoever waits for one is woken by it."""

    def __init__(self):
        self._changed = threading.Condition()

    def add(self, name):
        with self._changed:
            self.append(name)
            self._changed.notify_all()

    def wait_for(self, name):
        with self._changed:
            assert self._changed.wait_for(lambda: name in self, 60), self


@pytest.fixture
def calls(monkeypatch):
    """What S3 has answered."""
    found, call = Calls(), botocore.client.BaseClient._make_api_call

    def noted(self, operation, params):
        answer = call(self, operation, params)
        found.add(operation)
        return answer

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", noted)
    return found


def while_it_is_verified(monkeypatch, act):
    """Calls `act` with the file in the middle of its verification."""
    verify = create._verify_written

    def verified(part, name, manifest):
        act(part)
        verify(part, name, manifest)

    monkeypatch.setattr(create, "_verify_written", verified)


def unfinished(s3):
    return s3.client.list_multipart_uploads(Bucket=s3.name).get("Uploads", [])


def test_parts_are_sent_while_it_is_verified_and_no_snapshot_is_held(
    large, tmp_path, log, s3, calls, monkeypatch
):
    seen = []

    def look(part):
        calls.wait_for("UploadPart")
        seen.append((s3.keys(), run_sql(large, SNAPSHOTS)[0][0], calls.count("PutObject")))

    while_it_is_verified(monkeypatch, look)
    backup = make("daily", context_on(large, tmp_path, log, s3.bucket()))
    assert seen == [([], 0, 0)]
    assert s3.keys() == sorted(in_bucket(backup).key_of(file) for file in in_bucket(backup).files)
    assert calls.count("CreateMultipartUpload") == calls.count("CompleteMultipartUpload") == 1
    assert calls.index("CompleteMultipartUpload") > calls.index("PutObject")  # the roles
    assert calls[-1] != "CompleteMultipartUpload"  # the manifest comes last
    body = s3.client.get_object(Bucket=s3.name, Key=in_bucket(backup).key)["Body"].read()
    assert body == Path(backup.location).read_bytes()


def test_one_that_is_not_whole_never_appears(large, tmp_path, log, s3, calls, monkeypatch):
    def spoil(part):
        calls.wait_for("UploadPart")
        content = bytearray(part.read_bytes())
        content[len(content) // 2] ^= 1
        part.write_bytes(content)

    while_it_is_verified(monkeypatch, spoil)
    with pytest.raises(BackupError):
        make("daily", context_on(large, tmp_path, log, s3.bucket()))
    assert s3.keys() == []
    assert unfinished(s3) == []
    assert "AbortMultipartUpload" in calls
    assert "CompleteMultipartUpload" not in calls
    assert parts(tmp_path) == []


def test_a_run_that_is_stopped_while_it_verifies_leaves_nothing_in_the_bucket(
    large, tmp_path, log, s3, calls, monkeypatch
):
    def stop(part):
        calls.wait_for("CreateMultipartUpload")
        raise KeyboardInterrupt

    while_it_is_verified(monkeypatch, stop)
    with pytest.raises(KeyboardInterrupt):
        make("daily", context_on(large, tmp_path, log, s3.bucket()))
    assert (s3.keys(), unfinished(s3), parts(tmp_path)) == ([], [], [])


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param("CreateMultipartUpload", marks=pytest.mark.deep),
        pytest.param("UploadPart", marks=pytest.mark.deep),
        "CompleteMultipartUpload",
    ],
)
def test_one_that_cannot_be_sent_is_kept_here_and_the_next_run_brings_it(
    large, tmp_path, log, clock, s3, monkeypatch, operation
):
    with monkeypatch.context() as meanwhile:
        refusing(meanwhile, lambda called, key: called == operation)
        with pytest.raises(BackupError, match=r"not uploaded: .*; the local file is kept"):
            make("daily", context_on(large, tmp_path, log, s3.bucket()))
    (kept,) = context_on(large, tmp_path, log).storage.list_backups()
    assert kept.intact
    assert kept.upload_pending
    assert unfinished(s3) == []
    clock.forward(hours=1)
    second = make("daily", context_on(large, tmp_path, log, s3.bucket()))
    both = (in_bucket(kept), in_bucket(second))
    assert s3.keys() == sorted(name.key_of(file) for name in both for file in name.files)


def test_what_is_sent_is_what_was_verified_or_nothing(tmp_path, s3):
    path = tmp_path / "dump"
    path.write_bytes(b"x" * (PART + 1))
    staged = StagedUpload(s3.client, s3.name, "daily/dump", path, {"sha256": "0" * 64})
    with pytest.raises(BackupError, match="is no longer what was verified"):
        staged.complete()
    staged.abort()
    assert (s3.keys(), unfinished(s3)) == ([], [])


def test_a_small_one_is_sent_at_once(small, tmp_path, log, s3, calls):
    backup = make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert "CreateMultipartUpload" not in calls
    assert s3.keys() == sorted(in_bucket(backup).key_of(file) for file in in_bucket(backup).files)


def test_where_none_is_to_be_sent_none_is(large, tmp_path, log, s3, calls):
    make("pre-restore", context_on(large, tmp_path, log, s3.bucket()))
    away = replace(context_on(large, tmp_path, log, s3.bucket()), bucket=None)
    away.client = context_on(large, tmp_path, log).client
    make("daily", away)
    assert calls == []
