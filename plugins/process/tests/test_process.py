import os
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

import pytest
from pydantic import ValidationError

from healthkit import Health, Status, load_settings
from healthkit.testing import wait_until
from healthkit_process import FoundProcess, Process, evaluate, is_named

README = Path(__file__).parent.parent / "README.md"
GB = 10**9


@pytest.fixture
def start():
    """Starts a program whose command line has a word of its own, and returns both."""
    started = []

    def run(code="import signal; signal.pause()", word=None):
        word = word or f"job-{uuid.uuid4().hex}"
        started.append(subprocess.Popen([sys.executable, "-c", code, word]))
        return started[-1], word

    yield run
    for process in started:
        process.kill()
        process.wait()


def found(*memories):
    return [FoundProcess(number, memory) for number, memory in enumerate(memories, start=1)]


@pytest.mark.parametrize(
    ("processes", "keys", "status", "message"),
    [
        (found(GB), {}, Status.HEALTHY, "1 process runs, 1.0 GB of memory"),
        (found(), {}, Status.UNHEALTHY, "0 processes run, at least 1 must"),
        (found(), {"least": 0}, Status.HEALTHY, "0 processes run, 0 B of memory"),
        (found(1, 1), {"least": 3}, Status.UNHEALTHY, "2 processes run, at least 3 must"),
        (found(1, 1), {"most": 1}, Status.UNHEALTHY, "2 processes run, at most 1 may"),
        (found(1, 1), {"least": 2, "most": 2}, Status.HEALTHY, "2 processes run, 2 B of memory"),
        (found(GB, GB), {"max_memory": "2GB"}, Status.HEALTHY, "2 processes run, 2.0 GB of memory"),
        (
            *(found(GB, GB, 1), {"max_memory": "2GB"}, Status.UNHEALTHY),
            "2.0 GB of memory, at most 2.0 GB may be held",
        ),
    ],
)
def test_it_is_judged_by_count_and_memory(processes, keys, status, message):
    outcome = evaluate(processes, Process(name="x", **keys))
    assert (outcome.status, outcome.message) == (status, message)


def test_it_finds_what_runs_by_its_command_line_and_name(run_check, start):
    process, word = start()
    start(word=word)
    wait_until(lambda: run_check(Process(contains=word)).details["count"] == 2)
    name = Path(f"/proc/{process.pid}/comm").read_text().strip()
    assert run_check(Process(contains=word, name=name)).details["count"] == 2
    assert run_check(Process(contains=word, name="other")).status is Status.UNHEALTHY
    process.kill()
    # Until it is waited for it is a zombie: there, and not running.
    wait_until(lambda: run_check(Process(contains=word)).details["count"] == 1)


@pytest.mark.parametrize(
    ("full", "wanted", "named"),
    [
        ("nginx", "nginx", True),
        ("nginx", "ngin", False),
        ("a-program-with-a-long-name", "a-program-with-", True),
        ("a-program-with-a-long-name", "a-program-with-a", False),
        ("a-program-with-a-long-name", "a-program-with-a-long-name", True),
    ],
)
def test_a_long_name_may_be_given_as_ps_shows_it(full, wanted, named):
    assert is_named(full, wanted) is named


def test_a_pidfile_is_followed_and_each_fault_of_it_is_named(run_check, start, tmp_path):
    process, _ = start()
    file = tmp_path / "job.pid"

    def said():
        return run_check(Process(pidfile=file)).message

    assert said() == f"{file}: does not exist"
    for text in ("", "x", "0", "-1", "9" * 30, "1 2", "٣"):
        file.write_text(text)
        assert said() == f"{file}: holds no process number", text
    file.write_text(f"{process.pid}\n")
    assert said().startswith("1 process runs")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert "stale, another process" in said()
    file.write_text(f"{process.pid}")
    process.kill()
    wait_until(lambda: said() == f"{file}: process {process.pid} has ended")
    process.wait()
    assert said() == f"{file}: no process has the number {process.pid}"
    assert run_check(Process(pidfile=tmp_path)).message.endswith("Is a directory")


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"name": "x", "pidfile": "/x"},
        {"contains": "x", "pidfile": "/x"},
        {"name": ""},
        {"name": "x", "least": 3, "most": 2},
        {"name": "x", "least": -1},
    ],
)
def test_what_cannot_be_meant_is_refused(keys):
    with pytest.raises(ValidationError):
        Process(**keys)


def test_the_readmes_example_runs(start):
    for _ in range(2):
        start(word="celery worker")
    (example,) = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    settings = load_settings({"service": {"name": "x"}, **tomllib.loads(example)})
    outcome = wait_until(
        lambda: (
            (one := Health(settings).check_once().result("worker").outcome).status is Status.HEALTHY
            and one
        )
    )
    assert outcome.details["count"] >= 2
