"""Data and folders that no server can use are named in one line and left as they are."""

import os
import shutil
import signal
from contextlib import suppress

import psutil
import pytest

from healthkit.testing import wait_until
from posapp.runtime.postgres import (
    EmbeddedPostgresError,
    use_embedded_database,
)
from tests.runtime.postgres.servers import HOLD, as_root, hold, postmaster, query, refusal


@pytest.mark.deep
@pytest.mark.fault
def test_data_of_which_half_was_written_is_made_anew(tmp_path):
    holder = hold(tmp_path)
    wait_until(lambda: list(tmp_path.glob("postgres.new-*")))
    for process in psutil.Process(holder.pid).children():
        process.suspend()  # the watchdog: initdb goes on, and nobody gives its work the final name
    halves = wait_until(lambda: list(tmp_path.glob("postgres.new-*/global")))
    family = psutil.Process(holder.pid).children(recursive=True)
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    holder.kill()
    holder.communicate()
    psutil.wait_procs(family, timeout=60)
    assert halves[0].exists()
    assert not (tmp_path / "postgres").exists()
    with use_embedded_database(tmp_path) as url:
        assert query(url, "SELECT 1") == (1,)
    assert not list(tmp_path.glob("postgres.new-*"))


def test_a_folder_that_is_not_postgresqls_is_refused_and_left_alone(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "menu.txt").write_text("rendang")
    assert "not a whole PostgreSQL data folder" in refusal(tmp_path)
    assert (tmp_path / "postgres" / "menu.txt").read_text() == "rendang"


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "postgres").mkdir()
    with use_embedded_database(tmp_path) as url:
        assert query(url, "SELECT 1") == (1,)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A data folder that nobody uses, to copy."""
    data_dir = tmp_path_factory.mktemp("stopped")
    with use_embedded_database(data_dir):
        pass
    return data_dir


@pytest.fixture
def copy(stopped, tmp_path):
    shutil.copytree(stopped, tmp_path / "var")
    return tmp_path / "var"


@pytest.mark.deep
def test_data_of_another_major_version_is_refused(copy):
    (copy / "postgres" / "PG_VERSION").write_text("16\n")
    assert "made by PostgreSQL 16, and this is 18" in refusal(copy)


@pytest.mark.deep
@pytest.mark.parametrize("lost", ["PG_VERSION", "global/pg_control", "base", "pg_wal"])
def test_data_with_a_part_missing_is_refused(copy, lost):
    path = copy / "postgres" / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert f"{copy / 'postgres'}: not a whole PostgreSQL data folder" in refusal(copy)


def test_data_that_the_server_cannot_read_is_refused_with_its_own_reason(copy):
    (copy / "postgres" / "global" / "pg_control").write_bytes(b"")
    assert "pg_control" in refusal(copy)


def test_a_stale_pid_whose_number_is_somebody_elses_by_now_is_no_matter(copy):
    lines = [os.getpid(), copy / "postgres", 1, 5432, copy / "run", "", "1 1", "ready"]
    (copy / "postgres" / "postmaster.pid").write_text("".join(f"{line}\n" for line in lines))
    with use_embedded_database(copy) as url:
        assert query(url, "SELECT 1") == (1,)


def test_a_stale_pid_whose_number_is_another_postgresqls_by_now_is_no_matter(copy, postgres):
    other = postmaster(postgres.data_dir)
    lines = [other.pid, copy / "postgres", 1, 5432, copy / "run", "", "1 1", "ready"]
    (copy / "postgres" / "postmaster.pid").write_text("".join(f"{line}\n" for line in lines))
    with use_embedded_database(copy) as url:
        assert query(url, "SELECT 1") == (1,)
    assert other.is_running()


def test_a_file_where_the_folder_should_be_is_named(tmp_path):
    (tmp_path / "var").write_text("")
    found = refusal(tmp_path / "var")
    assert str(tmp_path / "var") in found
    assert "POS_DATA_DIR" in found
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "postgres").write_text("")
    assert "not a whole PostgreSQL data folder" in refusal(tmp_path / "other")


@pytest.mark.deep
def test_a_folder_without_permission_is_one_line(ordinary_user):
    closed = ordinary_user.folder / "closed"
    closed.mkdir(mode=0o555)
    with ordinary_user.start("-c", HOLD, str(closed / "var")) as process:
        _, errors = process.communicate(timeout=60)
    assert errors.splitlines() == [
        f"{closed / 'var'}: Permission denied; set POS_DATA_DIR to a folder that you may write"
    ]


@pytest.mark.deep
@as_root
def test_data_of_another_user_is_one_line(ordinary_user, copy):
    shutil.move(copy, ordinary_user.folder / "var")
    for folder in ("", "run", "log"):
        os.chown(ordinary_user.folder / "var" / folder, ordinary_user.uid, ordinary_user.gid)
    with ordinary_user.start("-c", HOLD, str(ordinary_user.folder / "var")) as process:
        _, errors = process.communicate(timeout=60)
    assert len(errors.splitlines()) == 1
    assert "set POS_DATA_DIR" in errors


@pytest.mark.deep
@pytest.mark.fault
@pytest.mark.parametrize("megabytes", [2, 20, 39])
def test_a_full_disk_is_named_as_that_and_leaves_nothing_half_made(small_disk, megabytes):
    disk = small_disk(megabytes)
    assert "the disk is full" in refusal(disk)
    assert not list(disk.glob("postgres.new-*"))
    assert postmaster(disk) is None


@pytest.mark.deep
@pytest.mark.fault
def test_a_disk_that_fills_up_later_is_named_as_that(small_disk):
    with (
        pytest.raises(EmbeddedPostgresError, match="the disk is full"),
        use_embedded_database(small_disk(90)) as url,
    ):
        query(url, "CREATE TABLE bill AS SELECT generate_series(1, 9000000)")


@pytest.mark.deep
@pytest.mark.fault
def test_an_interrupt_while_it_waits_leaves_nothing_running(tmp_path):
    holder = hold(tmp_path)
    wait_until(lambda: list(tmp_path.glob("postgres.new-*")))
    family = psutil.Process(holder.pid).children(recursive=True)
    holder.send_signal(signal.SIGINT)
    holder.communicate()
    assert psutil.wait_procs(family, timeout=60)[1] == []
