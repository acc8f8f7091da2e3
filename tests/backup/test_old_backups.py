"""Backups that version 1.0 wrote are listed, verified and restored.

`data/version-1.0` is a BACKUP_DIR of that version: a daily backup of a POS that has sold nothing,
a weekly one with the demo's menu, encrypted for the key in `age.key`.
"""

import json
import shutil
from pathlib import Path

import pytest

from posapp.backup.encryption import identity
from posapp.backup.restore import bring_up_to_date, fill, revisions
from posapp.backup.storage.folder import Folder
from posapp.backup.storage.lookup import find, verify
from tests.backup.kit import run_sql, settings_of, work_on

WRITTEN = Path(__file__).parent / "data" / "version-1.0"
DAILY = "steak_kenangan_daily_20261126_003643.dump.gz"
WEEKLY = "steak_kenangan_weekly_20261126_003651.dump.gz.age"


@pytest.fixture
def folder(tmp_path):
    """A copy, as nothing here may change what that version wrote."""
    return Path(shutil.copytree(WRITTEN, tmp_path / "backups"))


def test_old_backups_are_listed_as_good(folder):
    found = Folder(folder).entries()
    assert [str(one.name) for one in found] == [DAILY, WEEKLY]
    assert all(one.good for one in found)
    assert [one.manifest.rows for one in found] == [1, 283]
    assert [one.manifest.schema_revision for one in found] == ["0001", "0001"]


@pytest.mark.parametrize("name", [DAILY, WEEKLY])
def test_old_backups_are_verified(folder, name):
    settings = settings_of(folder, BACKUP_AGE_IDENTITY=str(folder / "age.key"))
    verify(find(name, settings), settings)


@pytest.mark.parametrize("name", [DAILY, WEEKLY])
def test_old_backups_are_restored_and_migrated(folder, postgres, name):
    entry = find(name, settings_of(folder))
    url = postgres.create("from_version_1_0")
    try:
        access = work_on(url, folder).access
        rows = fill(
            access,
            Path(entry.where),
            entry,
            lambda: identity(folder / "age.key"),
            lambda done: None,
        )
        assert rows == entry.manifest.rows
        bring_up_to_date(access)
        current, head = revisions(access)
        assert current == head
        products = entry.manifest.row_counts["products"]
        assert run_sql(url, "SELECT count(*) FROM products") == [(products,)]
    finally:
        postgres.drop(url.database)


@pytest.mark.parametrize("name", [DAILY, WEEKLY])
def test_the_manifest_keeps_its_keys_and_values(folder, name):
    """Whoever reads manifests (a script, the check backup-freshness) finds what was there."""
    entry = find(name, settings_of(folder))
    written = json.loads((Path(entry.where).parent / entry.name.manifest).read_bytes())
    assert written.items() <= json.loads(entry.manifest.dump()).items()
