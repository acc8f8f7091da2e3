"""`posapp restore --dry-run` tells all that would happen, and changes nothing."""

import subprocess

import pytest
from click.testing import CliRunner

from posapp.backup.storage.folder import FolderStorage
from posapp.cli import main
from tests.backup.kit import address, run_sql

DATABASES = "SELECT datname FROM pg_database ORDER BY 1"


@pytest.fixture
def posapp(small, tmp_path):
    environ = {
        "DATABASE_URL": address(small),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "BACKUP_LOG": str(tmp_path / "backup.log"),
        "HEALTHKIT_STORE": f"sqlite:///{tmp_path}/store.db",
    }

    def run(*arguments, **more):
        done = CliRunner(env={**environ, **more}).invoke(main, list(arguments))
        assert done.exc_info is None or isinstance(done.exception, SystemExit | None), done
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def backup(posapp, tmp_path):
    assert posapp("backup", "daily").returncode == 0
    (made,) = FolderStorage(tmp_path / "backups").list_backups()
    return made


def listed(folder):
    return sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))


def test_it_says_what_would_happen_and_does_none_of_it(posapp, backup, small, tmp_path):
    run_sql(small, "INSERT INTO guests VALUES (51, 'Tamu baru')")
    before = listed(tmp_path), run_sql(small, DATABASES)
    done = posapp("restore", "latest", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    for said in (
        str(backup.name),
        f"take the place of {small.database}",
        "backed up first (pre-restore)",
        "+1 rows by now",
        "Nothing was changed.",
    ):
        assert said in done.stdout
    assert "Obstacle" not in done.stdout
    assert (listed(tmp_path), run_sql(small, DATABASES)) == before
    assert run_sql(small, "SELECT count(*) FROM guests") == [(51,)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"BACKUP_KEY": "6a1d3b0e8cf25947b2e0ad48f7950d73"}, "not signed by BACKUP_KEY"),
        ({"BACKUP_DISK_RESERVE": "900TB"}, "are the reserve"),
    ],
)
def test_an_obstacle_is_named_and_makes_it_exit_1(posapp, backup, more, said):
    done = posapp("restore", backup.location, "--dry-run", **more)
    assert done.returncode == 1
    (obstacle,) = [line for line in done.stdout.splitlines() if "Obstacle: " in line]
    assert said in obstacle


def test_another_restaurants_backup_is_said_before_anybody_types_its_name(posapp, backup, small):
    run_sql(small, "UPDATE installation SET identity = 'ffff0000ffff0000'")
    done = posapp("restore", backup.location, "--dry-run")
    assert done.returncode == 0
    assert "typing its name: it is a backup of another restaurant" in done.stdout


def test_a_moment_without_a_base_backup_is_refused_in_one_line(posapp):
    done = posapp("restore", "--at", "2025-12-26 10:30", "--dry-run")
    assert done.returncode == 2
    assert "no base backup is that old" in done.stderr
