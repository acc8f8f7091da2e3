"""A backup goes to the bucket, is verified there, and goes with the old ones there too."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from posapp.backup.errors import BackupError
from posapp.backup.model.manifest import Manifest
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.storage.lookup import find_backup
from posapp.backup.storage.s3 import PART, checksums
from tests.backup.kit import context_on, in_bucket, make, run_sql, settings_of, verify
from tests.backup.test_make_backup import NAME, manifest_of


def test_an_upload_is_verified_and_recorded_in_the_manifest(small, tmp_path, log, s3):
    backup = make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert s3.keys() == [f"daily/{file}" for file in sorted(in_bucket(backup).files)]
    assert manifest_of(tmp_path)["uploaded_at"] == "2025-12-26T05:00:00Z"
    there = find_backup(f"s3://{s3.name}/daily/{NAME}", settings_of(tmp_path, **s3.environ))
    assert there.intact
    assert there.manifest == Manifest.parse(
        (tmp_path / "daily" / backup.name.manifest).read_bytes()
    )
    verify(there, settings_of(tmp_path, **s3.environ))


@pytest.mark.deep
def test_one_of_several_parts_is_uploaded_and_its_checksum_compared(small, tmp_path, log, s3):
    run_sql(
        small,
        "CREATE TABLE noise AS SELECT string_agg(gen_random_uuid()::text, '') t"
        " FROM generate_series(1, 500000) n GROUP BY n % 5000",
    )
    backup = make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert backup.size > PART
    head = s3.client.head_object(Bucket=s3.name, Key=in_bucket(backup).key)
    assert head["ETag"].strip('"') == checksums(Path(backup.location))[1]
    assert head["ETag"].strip('"').endswith("-2")


@pytest.mark.deep
def test_rotation_holds_for_s3_too(small, tmp_path, log, clock, s3):
    context = context_on(small, tmp_path, log, s3.bucket())
    for _ in range(10):
        make("daily", context)
        clock.forward(days=1)
    local = [in_bucket(backup) for backup in FolderStorage(tmp_path).list_backups()]
    assert set(s3.keys()) == {name.key_of(file) for name in local for file in name.files}
    assert len(local) == 8


@pytest.mark.deep
def test_a_failed_upload_keeps_the_file_and_the_next_run_brings_it(small, tmp_path, log, clock, s3):
    away = context_on(small, tmp_path, log, s3.bucket("http://127.0.0.1:1", timeout=1, attempts=1))
    with pytest.raises(BackupError, match=r"not uploaded: .* the local file is kept"):
        make("daily", away)
    assert manifest_of(tmp_path)["uploaded_at"] is None
    assert manifest_of(tmp_path)["s3_expected"] is True
    clock.forward(days=1)
    make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert len(s3.keys()) == 6
    assert manifest_of(tmp_path)["uploaded_at"] is not None


def test_those_before_restores_stay_at_home(small, tmp_path, log, s3):
    make("pre-restore", context_on(small, tmp_path, log, s3.bucket()))
    assert s3.keys() == []


def test_strange_keys_in_the_bucket_are_left_alone(small, tmp_path, log, clock, s3):
    for key in ("daily/../../x", "daily/notes.txt", f"weekly/{NAME}", f"daily/deep/{NAME}"):
        s3.client.put_object(Bucket=s3.name, Key=key, Body=b"x")
    clock.moment = datetime(2030, 1, 1, tzinfo=UTC)
    make("daily", context_on(small, tmp_path, log, s3.bucket()))
    assert len(s3.keys()) == 7


def test_uploads_that_a_killed_run_has_begun_are_ended_after_a_day(small, tmp_path, log, clock, s3):
    other, server = ["base/photos.jpg", "photos/steak.jpg"], "0123456789abcdef/7712775400367322696"
    base, wal = f"base/{server}/base_20251226_020000/base.tar.gz", f"wal/{server}/{'0' * 24}.gz"
    for key in (f"daily/{NAME}", base, wal, *other):
        s3.client.create_multipart_upload(Bucket=s3.name, Key=key)
    clock.moment = s3.client.list_multipart_uploads(Bucket=s3.name)["Uploads"][0]["Initiated"]
    assert s3.bucket().abort_stale_uploads(clock.now()) == 0
    clock.forward(days=2)
    make("daily", context_on(small, tmp_path, log, s3.bucket()))
    left = s3.client.list_multipart_uploads(Bucket=s3.name)["Uploads"]
    assert [upload["Key"] for upload in left] == other


@pytest.mark.parametrize("variable", ["BACKUP_S3_ACCESS_KEY", "BACKUP_S3_SECRET_KEY"])
def test_a_key_of_s3_with_more_than_the_key_in_it_is_a_mistake_to_fix(
    command, tmp_path, s3, variable
):
    environ = {"BACKUP_DIR": str(tmp_path), **s3.environ, variable: "a key\n"}
    listed = command("backup", "list", **environ)
    assert listed.returncode == 2
    assert f"{variable}: no key of S3: copy it anew, in one line" in listed.stderr
