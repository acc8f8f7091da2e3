"""Locks of open files: known to other processes, and gone with their holder however it ends."""

import fcntl
import signal
import subprocess
import sys

import pytest

from posapp.runtime.locks import FileLock

HOLDER = """
import sys
from pathlib import Path
from posapp.runtime.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
getattr(lock, sys.argv[2])()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lock"


@pytest.fixture
def hold(path):
    """`hold("acquire")`: another process that holds the lock until it is told or killed."""
    started = []

    def start(how):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_lock_is_had_by_one_at_a_time(path, hold):
    other = hold("acquire")
    lock = FileLock(path)
    assert not lock.try_acquire()
    other.communicate("")
    assert lock.try_acquire()
    lock.close()


def test_a_holder_that_is_killed_holds_it_no_more(path, hold):
    other = hold("acquire")
    lock = FileLock(path)
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert lock.try_acquire()
    lock.close()


def test_many_may_share_it_and_nobody_has_it_alone_meanwhile(path, hold):
    hold("acquire_shared")
    lock = FileLock(path)
    lock.acquire_shared()
    assert not lock.try_acquire()
    assert lock.held_by_other() == fcntl.F_RDLCK
    lock.close()


def test_who_asks_learns_how_others_hold_it(path, hold):
    lock = FileLock(path)
    assert lock.held_by_other() is None
    other = hold("acquire")
    assert lock.held_by_other() == fcntl.F_WRLCK
    other.communicate("")
    assert lock.held_by_other() is None
    lock.close()


def test_two_locks_of_one_process_exclude_each_other_too(path):
    first, second = FileLock(path), FileLock(path)
    assert first.try_acquire()
    assert not second.try_acquire()
    first.close()
    assert second.try_acquire()
    second.close()
