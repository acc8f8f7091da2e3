"""Backups that version 1.0 wrote are listed, verified and restored.

`data/version-1.0` is a BACKUP_DIR of that version: a daily backup of a POS that has sold nothing,
a weekly one with the demo's menu, encrypted for the key in `age.key`.
"""

import json
import shutil
from pathlib import Path

import pytest

from posapp.backup.encryption import load_identity
from posapp.backup.loading import load_backup, migrate_if_older, revisions
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.storage.lookup import find_backup
from tests.backup.kit import run_sql, settings_of, verify

WRITTEN = Path(__file__).parent / "data" / "version-1.0"
DAILY = "steak_kenangan_daily_20261126_003643.dump.gz"
WEEKLY = "steak_kenangan_weekly_20261126_003651.dump.gz.age"


@pytest.fixture
def folder(tmp_path):
    """A copy, as nothing here may change what that version wrote."""
    return Path(shutil.copytree(WRITTEN, tmp_path / "backups"))


def test_old_backups_are_listed_as_good(folder):
    found = FolderStorage(folder).list_backups()
    assert [str(one.name) for one in found] == [DAILY, WEEKLY]
    assert all(one.intact for one in found)
    assert [one.manifest.rows for one in found] == [1, 283]
    assert [one.manifest.schema_revision for one in found] == ["0001", "0001"]


@pytest.mark.parametrize("name", [DAILY, WEEKLY])
def test_old_backups_are_verified(folder, name):
    settings = settings_of(folder, BACKUP_AGE_IDENTITY=str(folder / "age.key"))
    verify(find_backup(name, settings), settings)


@pytest.mark.parametrize("name", [DAILY, WEEKLY])
def test_old_backups_are_restored_and_migrated(folder, postgres, name):
    backup = find_backup(name, settings_of(folder))
    url = postgres.create("from_version_1_0")
    try:
        client = PostgresClient(url)
        with open(backup.location, "rb") as file:
            opening = (lambda: load_identity(folder / "age.key"), lambda done: None)
            rows = load_backup(client, file, backup, *opening)
        assert rows == backup.manifest.rows
        migrate_if_older(client)
        current, head = revisions(client)
        assert current == head
        products = backup.manifest.row_counts["products"]
        assert run_sql(url, "SELECT count(*) FROM products") == [(products,)]
    finally:
        postgres.drop(url.database)


@pytest.mark.parametrize("name", [DAILY, WEEKLY])
def test_the_manifest_keeps_its_keys_and_values(folder, name):
    """Whoever reads manifests (a script, the check backup-freshness) finds what was there."""
    backup = find_backup(name, settings_of(folder))
    written = json.loads((Path(backup.location).parent / backup.name.manifest).read_bytes())
    assert written.items() <= json.loads(backup.manifest.dump()).items()
