"""What may be backed up can be restored there: PostgreSQL 15 of Debian, by newer programs."""

import pytest

from posapp.backup.base_backup import create_base_backup
from posapp.backup.drill import drill
from posapp.backup.drill_report import report
from posapp.backup.errors import Refused
from tests.backup.kit import context_on, make, restore, run_sql, settings_of, verify


@pytest.mark.deep
def test_an_older_server_is_backed_up_verified_restored_and_drilled(debian, tmp_path, log):
    context = context_on(debian, tmp_path, log)
    made = make("daily", context)
    assert made.manifest.server_version.startswith("15.")
    verify(made, settings_of(tmp_path))
    identity = run_sql(debian, "SELECT identity FROM installation")
    sorting = (
        "SELECT datlocprovider, daticulocale FROM pg_database WHERE datname = 'steak_kenangan'"
    )
    assert run_sql(debian, sorting) == [("i", "id-ID")]
    run_sql(debian, "CREATE TABLE later (x int)")
    restore(made, context)
    assert run_sql(debian, "SELECT to_regclass('later')") == [(None,)]
    assert run_sql(debian, "SELECT identity FROM installation") == identity
    assert run_sql(debian, sorting) == [("i", "id-ID")]
    drilled = drill(made, context)
    assert drilled.issue is None
    assert "- Left unproven: restored on PostgreSQL 18; the live server is 15" in report(drilled)
    assert "the server cannot sort by id-ID (icu)" in drilled.unproven


@pytest.mark.deep
def test_a_copy_of_files_that_no_program_here_can_recover_is_refused(debian, tmp_path, log):
    context = context_on(debian, tmp_path, log)
    with context.storage.lock() as lock, pytest.raises(Refused, match="need the same version"):
        create_base_backup(context, lock)
