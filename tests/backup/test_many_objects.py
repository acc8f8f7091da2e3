"""A bucket that nobody may empty has thousands of objects: what is asked of it does not grow."""

from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

import botocore.client
import pytest
from click.testing import CliRunner

from healthkit_backup_freshness.s3 import S3Source
from posapp.backup.create import expired_backups
from posapp.backup.model.backup import KINDS, BackupName
from posapp.backup.model.identity import Identity
from posapp.backup.signing import SigningKey
from posapp.backup.storage.lookup import find_backup
from posapp.backup.storage.s3 import S3Storage
from posapp.cli import main
from tests.backup.kit import KEY, NOON, SMALL, address, context_on, manifest_for, run_sql

OTHER = "f" * 16
DAYS = 104


@pytest.fixture(scope="module")
def crowded(postgres, s3_of_module):
    """The bucket of a restaurant that backs up by day, and of another one; and its database."""
    url = postgres.create("crowded")
    run_sql(url, SMALL)
    ((own,),) = run_sql(url, "SELECT identity FROM installation")
    for day in range(DAYS):
        for identity in (own, OTHER):
            name = BackupName(NOON - timedelta(days=day), "daily", identity=identity)
            manifest = manifest_for(name.plain, identity=identity)
            body = SigningKey(KEY).sign(manifest).dump()
            s3_of_module.client.put_object(Bucket=s3_of_module.name, Key=name.key, Body=b"x")
            key = name.key_of(name.manifest)
            s3_of_module.client.put_object(Bucket=s3_of_module.name, Key=key, Body=body)
    yield url, own, s3_of_module
    postgres.drop("crowded")


@pytest.fixture
def fetched(monkeypatch):
    """The manifests that are fetched."""
    keys, fetch = [], S3Storage._manifest

    def counted(storage, key, present):
        keys.append(key)
        return fetch(storage, key, present)

    monkeypatch.setattr(S3Storage, "_manifest", counted)
    return keys


@pytest.fixture
def requests(monkeypatch):
    """The requests to S3, by operation."""
    asked, call = Counter(), botocore.client.BaseClient._make_api_call

    def counted(self, operation, params):
        asked[operation] += 1
        return call(self, operation, params)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", counted)
    return asked


def list_on(url, s3, folder, *options):
    """Types `posapp backup list`."""
    environ = {
        "DATABASE_URL": address(url),
        "BACKUP_DIR": str(folder / "backups"),
        "BACKUP_LOG": str(folder / "log"),
        **s3.environ,
    }
    done = CliRunner(env=environ).invoke(main, ["backup", "list", *options])
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.deep
def test_a_list_asks_for_each_kind_once_and_for_the_manifests_that_it_shows(
    crowded, requests, tmp_path
):
    url, _, s3 = crowded
    list_on(url, s3, tmp_path)
    base = 1  # where base backups would be
    assert requests == {"ListObjectsV2": len(KINDS) + base, "GetObject": 200}


@pytest.mark.deep
def test_freshness_asks_for_the_newest_manifests_once(crowded, requests):
    _, _, s3 = crowded
    source = S3Source(s3.name, "daily", s3.endpoint, ("key", "secret"), 10.0)
    try:
        for _ in range(3):
            assert len(source.backups("*.dump.gz", ZoneInfo("Asia/Jakarta"))) == 2 * DAYS
        assert requests == {"ListObjectsV2": 3, "GetObject": 2 * 30}
    finally:
        source.close()


def test_times_are_what_the_usual_parser_reads(crowded):
    _, _, s3 = crowded
    usual = s3.client.list_objects_v2(Bucket=s3.name)["Contents"]
    keys = s3.bucket()._client.list_objects_v2(Bucket=s3.name)["Contents"]
    assert [one["LastModified"] for one in keys] == [one["LastModified"] for one in usual]


@pytest.mark.deep
def test_the_newest_is_found_by_its_own_manifest_alone(crowded, fetched, tmp_path, log):
    url, own, s3 = crowded
    context = context_on(url, tmp_path, log, s3.bucket(), **s3.environ)
    found = find_backup("latest", context.settings, context.own, context.is_good)
    assert (found.name.at, found.name.identity) == (NOON, own)
    assert len(fetched) == 1


def test_one_that_is_not_good_is_passed_over(crowded, fetched, tmp_path, log):
    url, own, s3 = crowded
    name = BackupName(NOON + timedelta(hours=1), "daily", identity=own)
    s3.client.put_object(Bucket=s3.name, Key=name.key, Body=b"an enemy's")
    try:
        context = context_on(url, tmp_path, log, s3.bucket(), **s3.environ)
        found = find_backup("latest", context.settings, context.own, context.is_good)
        assert found.name.at == NOON
        assert len(fetched) == 2
    finally:
        s3.client.delete_object(Bucket=s3.name, Key=name.key)


def test_what_has_had_its_time_is_known_by_few(crowded, fetched, tmp_path, log, clock):
    url, own, s3 = crowded
    context = context_on(url, tmp_path, log, s3.bucket())
    bucket = s3.bucket()
    expired = expired_backups(bucket, context, Identity(own, "crowded", None))
    assert len(expired) == DAYS - 8
    assert len(fetched) <= 2


@pytest.mark.deep
def test_the_list_shows_the_newest_and_says_how_many_more_there_are(
    crowded, fetched, tmp_path, log
):
    url, own, s3 = crowded
    done = list_on(url, s3, tmp_path)
    mine, others = done.stdout.split("Of other restaurants")
    for part, identity in ((mine, own), (others, OTHER)):
        assert part.count(f"_{identity}.dump.gz") == 100
        assert f"… and {DAYS - 100} older ones: posapp backup list --all" in part
    assert len(fetched) == 200
    done = list_on(url, s3, tmp_path, "--all")
    assert done.stdout.count(f"_{own}.dump.gz") == DAYS
    assert "older ones" not in done.stdout
