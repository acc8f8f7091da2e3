"""Files that are whole or not there, and logs that stay small."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.runtime import files


@given(st.binary(max_size=5000))
def test_what_is_written_is_read_back(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("whole") / "file"
    files.write_atomically(path, content)
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == ["file"]


def test_a_written_file_is_for_its_owner_alone_whatever_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"before")
    path.chmod(0o644)
    files.write_atomically(path, b"after")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_file_before_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomically(path, b"after")
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["file"]


def test_of_many_who_create_one_file_the_first_is_kept_and_all_read_the_same(tmp_path):
    path = tmp_path / "secret"

    def create(number):
        files.create_atomically(path, f"{number}\n" * 1000)
        return path.read_text()

    with ThreadPoolExecutor(16) as pool:
        read = set(pool.map(create, range(16)))
    assert len(read) == 1
    assert len(read.pop().splitlines()) == 1000
    assert os.listdir(tmp_path) == ["secret"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_is_appended_to_until_it_is_large_and_then_begins_anew(tmp_path):
    path = tmp_path / "logs" / "a.log"
    for _ in range(2):
        with files.open_rotated(path) as log:
            log.write(b"line\n")
    assert path.read_bytes() == b"line\nline\n"
    path.write_bytes(b"x" * 1_000_000)
    with files.open_rotated(path) as log:
        log.write(b"last before\n")
    with files.open_rotated(path) as log:
        log.write(b"first after\n")
    assert path.read_bytes() == b"first after\n"
    assert path.with_suffix(".log.1").read_bytes().endswith(b"last before\n")


def test_a_log_that_is_a_pipe_is_not_waited_for_and_nobody_elses_is_narrowed(tmp_path):
    """BACKUP_LOG may be anything: /dev/null is everybody's, whoever writes to it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o666)
    with pytest.raises(OSError, match="No such device"):
        files.open_rotated(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with files.open_rotated(pipe) as log:
        log.write(b"line\n")
    assert os.read(reader, 100) == b"line\n"
    os.close(reader)
    assert stat.S_IMODE(pipe.stat().st_mode) == 0o666


def test_room_is_that_of_the_file_system_of_the_folder(small_disk):
    folder = small_disk(4)
    before = files.free_bytes(folder)
    assert 0 < before <= 4 * 1024**2
    (folder / "file").write_bytes(b"x" * 1024**2)
    assert files.free_bytes(folder) <= before - 1024**2


def test_a_log_that_grows_while_its_program_runs_is_cut_and_goes_on(tmp_path):
    path = tmp_path / "a.log"
    with files.open_rotated(path) as log:
        log.write(b"x" * 100)
        log.flush()
        assert files.cap_log(path, limit=100) == 0
        log.write(b"last before\n")
        log.flush()
        assert files.cap_log(path, limit=100) == 112
        log.write(b"first after\n")
    assert path.read_bytes() == b"first after\n"
    old = path.with_suffix(".log.1")
    assert old.read_bytes() == b"x" * 100 + b"last before\n"
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
