"""Nothing that becomes of its standard output stops a run, and its exit code is right."""

import os
import subprocess
import sys

import pytest

from posapp.backup.storage.folder import FolderStorage
from tests.backup.kit import KEY, ROOT, address, run_sql


@pytest.fixture
def shell(small, tmp_path):
    """`shell("$posapp backup daily >&-")`: runs a line of a shell on a small database."""

    def run(line, folder=tmp_path / "backups"):
        environ = {
            **os.environ,
            "DATABASE_URL": address(small),
            "BACKUP_DIR": os.fsdecode(folder),
            "BACKUP_KEY": KEY,
            "POS_DATA_DIR": str(tmp_path / "data"),
            "posapp": f"{sys.executable} -m posapp",
        }
        return subprocess.run(
            ["sh", "-c", line], env=environ, cwd=ROOT, capture_output=True, timeout=120
        )

    return run


@pytest.mark.parametrize(
    "ending",
    [
        ">/dev/full 2>/dev/full",
        *(
            pytest.param(one, marks=pytest.mark.deep)
            for one in (">/dev/full", "2>&-", ">&- 2>&- <&-")
        ),
    ],
)
def test_a_backup_is_made_whatever_becomes_of_what_it_prints(shell, tmp_path, ending):
    done = shell(f"$posapp backup daily {ending}")
    assert done.returncode == 0, done.stderr
    assert len(FolderStorage(tmp_path / "backups").list_backups()) == 1
    assert "Backup completed successfully!" in (tmp_path / "backups" / "backup.log").read_text()


def test_a_backup_is_made_when_nobody_reads_what_it_prints(shell, tmp_path):
    """It ended after the first line, with exit code 0."""
    done = shell("{ $posapp backup daily; echo $? >&2; } | true")
    assert done.stderr.splitlines()[-1] == b"0"
    assert len(FolderStorage(tmp_path / "backups").list_backups()) == 1


@pytest.mark.deep
def test_a_restore_goes_to_its_end_when_its_output_cannot_be_written(shell, small):
    assert shell("$posapp backup daily").returncode == 0
    run_sql(small, "DELETE FROM bills")
    assert shell("$posapp restore latest --skip-confirm >/dev/full 2>&-").returncode == 0
    assert run_sql(small, "SELECT count(*) FROM bills") == [(400,)]


@pytest.mark.deep
def test_a_folder_whose_name_is_no_text_takes_backups_and_gives_them_back(shell, tmp_path):
    """The reports of a restore and of a drill name it."""
    folder = os.fsencode(tmp_path) + b"/\xff\xfe of ours"
    assert shell("$posapp backup daily", folder).returncode == 0
    restored = shell("$posapp restore latest --skip-confirm", folder)
    assert (restored.returncode, restored.stderr) == (0, b"")
    assert b"Report: " in restored.stdout
    drilled = shell(f"$posapp drill --report {tmp_path}/drills", folder)
    assert (drilled.returncode, drilled.stderr) == (0, b"")
    assert folder in next((tmp_path / "drills").iterdir()).read_bytes()
