"""Lines are whole, in order and never in the way, whatever becomes of the other end."""

import contextlib
import json
import multiprocessing
import os
import signal
import threading

import pytest

from healthkit.testing import wait_until
from posapp.observability import log_writer
from posapp.observability.log_writer import ATOMIC, LineWriter, chunks

FORK = multiprocessing.get_context("fork")


def lost(count):
    return json.dumps({"lost": count}).encode() + b"\n"


class Reader(threading.Thread):
    """Reads a pipe to its end."""

    def __init__(self, descriptor):
        super().__init__(daemon=True)
        self.descriptor = descriptor
        self.data = bytearray()
        self.start()

    def run(self):
        with contextlib.suppress(OSError):  # the test has closed it
            while chunk := os.read(self.descriptor, 65536):
                self.data += chunk

    def lines(self):
        return bytes(self.data).splitlines()


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def work(lines, worker, count):
    for number in range(count):
        # Every hundredth is longer than what a pipe takes in one piece.
        filler = "x" * (3 * ATOMIC if number % 100 == 0 else number % 400)
        lines.write(json.dumps([worker, number, filler]).encode() + b"\n")
    lines.flush(60)
    os._exit(0)


def test_no_line_of_four_workers_is_torn_or_lost(pipe):
    reading, writing = pipe
    lines, reader = LineWriter(writing, lost), Reader(reading)
    count = 5000
    workers = [FORK.Process(target=work, args=(lines, worker, count)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    wait_until(lambda: len(reader.lines()) >= 4 * count)
    found = [json.loads(line) for line in reader.lines()]
    for worker in range(4):
        assert [number for who, number, _ in found if who == worker] == list(range(count))


def test_a_stdout_that_blocks_for_a_while_blocks_nobody_and_loses_nothing(pipe):
    reading, writing = pipe
    lines = LineWriter(writing, lost)
    for number in range(5000):  # far more than a pipe holds, and nobody reads
        lines.write(json.dumps([number, "x" * 100]).encode() + b"\n")
    assert not lines.flush(0.05)
    reader = Reader(reading)
    assert lines.flush(20)
    wait_until(lambda: len(reader.lines()) >= 5000)
    assert [json.loads(line)[0] for line in reader.lines()] == list(range(5000))


def test_what_the_queue_cannot_hold_is_counted_and_told(pipe, monkeypatch):
    reading, writing = pipe
    monkeypatch.setattr(log_writer, "QUEUE_LIMIT", 200_000)
    lines = LineWriter(writing, lost)
    for _ in range(3000):
        lines.write(b"x" * 999 + b"\n")
    reader = Reader(reading)
    assert lines.flush(20)
    lines.write(b"after\n")
    assert lines.flush(20)
    wait_until(lambda: b"after\n" in reader.data)
    told = [json.loads(line)["lost"] for line in reader.lines() if line.startswith(b"{")]
    assert sum(told) + sum(line.startswith(b"x") for line in reader.lines()) == 3000
    assert sum(told) > 0


def test_a_stdout_that_is_closed_harms_nobody(pipe):
    reading, writing = pipe
    lines = LineWriter(writing, lost)
    os.close(reading)
    for _ in range(100):
        lines.write(b"nobody reads this\n")
    assert lines.flush(10)
    os.close(writing)
    lines.write(b"nor this\n")
    assert lines.flush(10)


def endless(lines):
    while True:
        lines.write(json.dumps("y" * 300).encode() + b"\n")
        lines.flush()


def test_a_worker_killed_in_the_middle_leaves_whole_lines(pipe):
    reading, writing = pipe
    lines, reader = LineWriter(writing, lost), Reader(reading)
    for _ in range(5):
        worker = FORK.Process(target=endless, args=(lines,))
        worker.start()
        before = len(reader.data)
        wait_until(lambda seen=before: len(reader.data) > seen + 20_000)
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    lines.write(b'"last"\n')
    assert lines.flush(10)
    wait_until(lambda: reader.data.endswith(b'"last"\n'))
    assert {json.loads(line) for line in reader.lines()} == {"y" * 300, "last"}


def test_a_descriptor_that_does_not_wait_is_waited_for(pipe):
    reading, writing = pipe
    os.set_blocking(writing, False)
    lines, reader = LineWriter(writing, lost), Reader(reading)
    for number in range(3000):
        lines.write(json.dumps([number, "x" * 200]).encode() + b"\n")
    assert lines.flush(20)
    wait_until(lambda: len(reader.lines()) >= 3000)
    assert [json.loads(line)[0] for line in reader.lines()] == list(range(3000))


def test_lines_are_joined_up_to_what_is_written_in_one_piece():
    assert list(chunks([b"a" * 6 + b"\n", b"b" * 6 + b"\n", b"c" * 30 + b"\n"], 15)) == [
        b"aaaaaa\nbbbbbb\n",
        b"c" * 30 + b"\n",
    ]
