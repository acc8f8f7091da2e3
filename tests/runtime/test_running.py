"""Which server runs: known by a lock, never by a number in a file."""

import os
import signal
import subprocess
import sys

import pytest

from posapp.runtime import running
from posapp.runtime.running import AlreadyRunning, NotRunning

HOLD = """
import os, signal, sys
from pathlib import Path
from posapp.runtime import running
signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"told\\n"))  # in the midst of `print`, too
running.hold(Path(sys.argv[1]))
print("held", flush=True)
for line in sys.stdin: pass
"""


@pytest.fixture
def path(tmp_path):
    return running.lock_path(tmp_path, 8080)


@pytest.fixture
def holder(path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def stranger():
    """A living process that would be ended by the signal."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_second_server_is_refused_and_touches_nothing(path, holder):
    before = path.read_text()
    with pytest.raises(AlreadyRunning, match="held by another server"):
        running.hold(path)
    assert path.read_text() == before == f"{holder.pid}\n"


def test_the_running_server_and_nobody_else_gets_the_signal(path, holder):
    running.send_signal(path, signal.SIGUSR1)
    assert holder.stdout.readline() == "told\n"


def test_a_number_that_is_somebody_elses_by_now_stops_no_start_and_gets_no_signal(path, stranger):
    path.parent.mkdir(parents=True)
    path.write_text(f"{stranger.pid}\n")
    with pytest.raises(NotRunning):
        running.send_signal(path, signal.SIGUSR1)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as later:
        assert later.stdout.readline() == b"held\n"
        later.kill()
    assert stranger.poll() is None


@pytest.mark.parametrize("content", ["", "soon\n", "-1\n", "0\n", "9" * 40, "١\n", "\0"])
def test_whatever_stands_in_the_file_means_nobody(path, content):
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(NotRunning):
        running.send_signal(path, signal.SIGUSR1)


def test_a_server_that_was_killed_holds_nothing(path, holder):
    holder.kill()
    holder.wait()
    with pytest.raises(NotRunning):
        running.send_signal(path, signal.SIGUSR1)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as later:
        assert later.stdout.readline() == b"held\n"
        later.kill()


def test_the_lock_of_a_stranger_in_a_folder_of_all_is_refused(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can make a stranger's file")
    shared = tmp_path / "run"
    shared.mkdir()
    shared.chmod(0o1777)
    lock = shared / "gunicorn-8080.lock"
    lock.touch()
    os.chown(lock, 65534, 65534)
    assert not running.hold(lock), "whoever owns it could keep it from us for ever"
