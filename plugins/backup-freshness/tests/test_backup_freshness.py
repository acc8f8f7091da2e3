import json
import os
import socket
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer
from pydantic import ValidationError

from healthkit import Status, load_settings
from healthkit_backup_freshness import BackupFreshness
from healthkit_backup_freshness.s3 import S3Source

NOW = datetime(2025, 12, 26, 3, 0, tzinfo=UTC)
NAME = "steak_kenangan_daily_20251226_021530.dump.gz"  # Jakarta time: 7h44m30s before NOW
MANIFEST = {
    "file": NAME,
    "kind": "daily",
    "created_at": "2025-12-25T19:15:30Z",
    "size_bytes": 2_000_000,
    "sha256": "00",
    "verified_at": "2025-12-25T19:16:00Z",
    "uploaded_at": None,
    "s3_expected": True,
    "restored_at": None,
    "encrypted": False,
}


def put(folder, name=NAME, size=2_000_000, manifest=None):
    (folder / name).write_bytes(b"x" * size)
    if manifest is not None:
        (folder / f"{name}.manifest.json").write_text(json.dumps(manifest))


# A folder


def test_a_folder_is_judged_by_its_newest_backup(tmp_path, run_check):
    put(tmp_path, NAME.replace("26_", "25_"))
    put(tmp_path)
    put(tmp_path, NAME.replace("26_", "27_") + ".part")
    (tmp_path / "old.dump.gz").mkdir()
    outcome = run_check(BackupFreshness(location=str(tmp_path)), now=NOW)
    assert outcome.status is Status.HEALTHY
    assert outcome.details == {
        "newest": NAME,
        "age": "7h44m30s",
        "size_bytes": 2_000_000,
        "count": 2,
    }


def test_a_manifest_beside_the_backup_is_read(tmp_path, run_check):
    put(tmp_path, manifest=MANIFEST)
    outcome = run_check(BackupFreshness(location=str(tmp_path)), now=NOW)
    assert outcome.message == "the newest backup is not uploaded"
    put(tmp_path, size=1_500_000)
    outcome = run_check(BackupFreshness(location=str(tmp_path)), now=NOW)
    assert outcome.message.startswith("the newest backup is cut: 1.5 MB of 2.0 MB")


def test_the_keys_set_the_limits(tmp_path, run_check):
    put(tmp_path)

    def message(**keys):
        return run_check(BackupFreshness(location=str(tmp_path), **keys), now=NOW).message

    assert "more than 7h0m0s" in message(max_age="7h")
    assert "less than 3.0 MB" in message(min_size="3MB")
    assert message(pattern="*.sql") == "there is no backup"
    assert message(timezone="UTC") == "44m30s old, 2.0 MB"
    put(tmp_path, manifest={**MANIFEST, "s3_expected": False})
    later = NOW + timedelta(days=3)
    check = BackupFreshness(location=str(tmp_path), max_restore_age="2d", max_age="9d")
    assert run_check(check, now=later).message == "no backup has been restored for 3 days, or ever"


def test_a_folder_that_is_missing_and_one_that_cannot_be_read_are_told_apart(tmp_path, run_check):
    missing = run_check(BackupFreshness(location=str(tmp_path / "gone")))
    assert missing.message == f"the folder {tmp_path}/gone does not exist"
    put(tmp_path)
    file = run_check(BackupFreshness(location=str(tmp_path / NAME)))
    assert file.message == f"{tmp_path}/{NAME} cannot be read: Not a directory"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run_check(BackupFreshness(location=str(empty))).message == "there is no backup"


# S3


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.upper().endswith("_PROXY") or n[:4] == "AWS_"]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(endpoint):
    """A client, and a bucket of the test's own."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
    )
    client.bucket = f"b{uuid.uuid4()}"
    client.create_bucket(Bucket=client.bucket)
    yield client
    client.close()


@pytest.fixture
def s3_check(endpoint, s3):
    made = []

    def make(**keys):
        given = {
            "location": f"s3://{s3.bucket}/daily",
            "endpoint": endpoint,
            "access_key": "k",
            "secret_key": "sesame",
            **keys,
        }
        made.append(BackupFreshness(**given))
        return made[-1]

    yield make
    for check in made:
        check.close()


def upload(s3, key, body=b"x" * 2_000_000):
    s3.put_object(Bucket=s3.bucket, Key=key, Body=body)


def test_a_bucket_is_judged_by_its_newest_backup_under_the_prefix(s3, s3_check, run_check):
    check = s3_check()
    assert run_check(check, now=NOW).message == "there is no backup"
    for key in ("daily/", "weekly/", "dailyother/", "daily/deeper/"):
        upload(s3, f"{key}{NAME}")
    upload(s3, f"daily/{NAME.replace('26_', '24_')}", b"x")
    outcome = run_check(check, now=NOW)
    assert outcome.status is Status.HEALTHY
    assert outcome.details == {
        "newest": NAME,
        "age": "7h44m30s",
        "size_bytes": 2_000_000,
        "count": 2,
    }


def test_a_bucket_with_more_than_a_page_is_read_to_its_end(s3, s3_check, run_check, monkeypatch):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")  # the server's page; S3's own is 1000
    for number in range(5):
        upload(s3, f"daily/a{number}.dump.gz", b"")
    upload(s3, f"daily/z{NAME}")
    assert len(s3.list_objects_v2(Bucket=s3.bucket)["Contents"]) == 2
    assert run_check(s3_check(), now=NOW).details["count"] == 6


def test_a_manifest_in_s3_is_read_and_its_backup_counts_as_uploaded(s3, s3_check, run_check):
    check = s3_check()
    upload(s3, f"daily/{NAME}")
    upload(s3, f"daily/{NAME}.manifest.json", json.dumps(MANIFEST).encode())
    assert run_check(check, now=NOW).status is Status.HEALTHY
    changed = json.dumps({**MANIFEST, "verified_at": None}).encode()
    upload(s3, f"daily/{NAME}.manifest.json", changed)
    assert run_check(check, now=NOW).message == "the newest backup is unverified"
    s3.delete_object(Bucket=s3.bucket, Key=f"daily/{NAME}.manifest.json")
    assert run_check(check, now=NOW).status is Status.HEALTHY


@pytest.mark.deep
def test_a_bucket_that_nobody_may_empty_is_read_as_fast_after_years(endpoint, s3, monkeypatch):
    """Of each restaurant's the newest manifests are read, whatever else lies there."""
    fetched = []
    fetch = S3Source._fetch

    def counted(source, client, key):
        fetched.append(key)
        return fetch(source, client, key)

    monkeypatch.setattr(S3Source, "_fetch", counted)
    days = 35
    for owner in ("a" * 16, "b" * 16):
        for day in range(days):
            at = NOW - timedelta(days=day)
            name = f"steak_kenangan_daily_{at:%Y%m%d_%H%M%S}_{owner}.dump.gz"
            upload(s3, f"daily/{name}", b"x")
            manifest = {**MANIFEST, "identity": owner, "created_at": at.isoformat()}
            upload(s3, f"daily/{name}.manifest.json", json.dumps(manifest).encode())
    source = S3Source(s3.bucket, "daily", endpoint, ("key", "secret"), 5.0)
    found = source.backups("*.dump.gz", ZoneInfo("UTC"))
    assert len(found) == 2 * days
    assert len(fetched) == 2 * 30
    newest = sorted(found, key=lambda one: one.at)[-2:]
    assert {one.manifest.identity for one in newest} == {"a" * 16, "b" * 16}
    source.backups("*.dump.gz", ZoneInfo("UTC"))
    assert len(fetched) == 2 * 30  # nothing is new
    source.close()


def test_the_whole_bucket_is_a_location(s3, s3_check, run_check):
    upload(s3, NAME)
    assert run_check(s3_check(location=f"s3://{s3.bucket}"), now=NOW).status is Status.HEALTHY
    assert run_check(s3_check(location=f"s3://{s3.bucket}/"), now=NOW).status is Status.HEALTHY


def test_a_fork_gets_a_client_of_its_own(endpoint, s3):
    upload(s3, f"daily/{NAME}")
    source = S3Source(s3.bucket, "daily", endpoint, ("key", "secret"), 5.0)
    newest = source.backups("*.gz", ZoneInfo("UTC"))
    parents = source._client
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = source.backups("*.gz", ZoneInfo("UTC")) != newest or source._client is parents
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    assert source.backups("*.gz", ZoneInfo("UTC")) == newest
    assert source._client is parents


def test_faults_of_s3_are_told_apart_and_without_secrets(s3_check, run_check):
    missing = run_check(s3_check(location="s3://no-such-bucket/daily"))
    assert (missing.status, missing.message) == (Status.UNHEALTHY, "the bucket does not exist")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        silent = run_check(s3_check(endpoint=url), timeout=0.3)
        assert silent.message == "S3 gave no answer within 0.3s"
    assert run_check(s3_check(endpoint=url)).message == "S3: connection refused"


def test_keys_that_s3_refuses_are_told_as_that(endpoint, s3_check, run_check):
    requests.post(f"{endpoint}/moto-api/reset-auth", data=b"0", timeout=60)
    try:
        outcome = run_check(s3_check())
    finally:
        requests.post(f"{endpoint}/moto-api/reset-auth", data=b"inf", timeout=60)
    assert outcome.message == "S3 refuses the credentials (InvalidAccessKeyId)"


def test_without_keys_boto3_looks_for_them_and_their_lack_is_told(
    s3_check, run_check, monkeypatch, tmp_path
):
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    outcome = run_check(s3_check(access_key="", secret_key=""))
    assert outcome.message == "there are no credentials for S3"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert run_check(s3_check(access_key="", secret_key="")).message == "there is no backup"


# Settings


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ({"location": " "}, "location", "missing; write a folder"),
        ({"location": "s3://"}, "location", "names no bucket"),
        ({"max_age": "0s"}, "max_age", "must be more than 0s"),
        ({"max_age": "26"}, "max_age", "is not a duration"),
        ({"min_size": "big"}, "min_size", "is not a size"),
        ({"timezone": "WIB"}, "timezone", "is not a time zone"),
        ({"endpoint": "r2.example"}, "endpoint", "match pattern"),
        ({"access_key": "k"}, "secret_key", "go together"),
        ({"secret_key": "sesame"}, "secret_key", "go together"),
        ({"maxage": "1h"}, "maxage", "Extra inputs"),
    ],
)
def test_a_mistake_names_its_key(keys, key, message):
    with pytest.raises(ValidationError) as caught:
        BackupFreshness(**{"location": "x", **keys})
    (fault,) = caught.value.errors()
    assert fault["loc"] == (key,)
    assert message in fault["msg"]
    assert "sesame" not in fault["msg"]


def test_the_installed_plugin_answers_for_its_type():
    table = {
        "type": "backup-freshness",
        "location": "s3://${BUCKET}/daily",
        "access_key": "${KEY:-}",
        "secret_key": "${SECRET:-}",
    }
    document = {"service": {"name": "x"}, "checks": {"backup": table}}
    (configured,) = load_settings(document, environ={"BUCKET": "steak"}).checks
    assert isinstance(configured.check, BackupFreshness)
    assert configured.info.target == "s3://steak/daily"
