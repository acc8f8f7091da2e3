"""What is done to backups, and to the database by one, is in the audit log."""

import pytest

from posapp.backup.storage.lookup import find_backup
from tests.backup.kit import context_on, make, restore, run_sql, settings_of

ENTRIES = "SELECT action, details FROM audit_log WHERE entity = 'backup' ORDER BY id"


@pytest.fixture
def pos(postgres, template_database):
    """A database of the POS, which can be replaced."""
    name = "audited"
    yield postgres.create(name, template_database)
    for (found,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
        if found.startswith(name):
            postgres.drop(found)


@pytest.mark.deep
def test_a_backup_that_is_removed_after_its_time_is_told(pos, tmp_path, log, clock):
    first = make("daily", context_on(pos, tmp_path, log))
    clock.forward(days=9)
    make("daily", context_on(pos, tmp_path, log))
    ((action, details),) = run_sql(pos, ENTRIES)
    assert action == "backup.deleted"
    assert details["backup"] == first.name.key
    assert details["where"] == "folder"
    assert details["account"]


@pytest.mark.deep
def test_a_restore_is_told_in_the_database_that_is_live_then(pos, tmp_path, log):
    context = context_on(pos, tmp_path, log)
    made = make("daily", context)
    backup = find_backup("latest", settings_of(tmp_path))
    restore(backup, context)
    ((action, details),) = run_sql(pos, ENTRIES)
    assert action == "database.restored"
    assert details["backup"] == made.name.key
    assert details["before"].startswith("audited_before_")
