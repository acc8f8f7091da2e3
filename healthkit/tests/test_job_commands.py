"""`healthkit run` and `healthkit beat`: jobs by the command line."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from click.testing import CliRunner

from healthkit import Health, Status
from healthkit.cli import main


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "healthkit.toml"
    file.write_text(
        """
        [service]
        name = "Till"
        [store]
        url = "sqlite:///x.db"
        [checks.nightly]
        type = "heartbeat"
        every = "24h"
        """
    )
    return file


@pytest.fixture
def health(config):
    health = Health.from_file(config)
    yield health
    health.stop()


def outcome(health):
    return health.check_once().result("nightly").outcome


def invoke(config, *words):
    return CliRunner().invoke(main, ["--config", str(config), *words])


def python(code):
    return ("--", sys.executable, "-c", code)


def test_a_command_is_run_and_its_code_and_output_are_passed_on_and_recorded(config, health):
    code = "import sys; print('to stdout'); print('disk full', file=sys.stderr); sys.exit(7)"
    done = invoke(config, "run", "nightly", *python(code))
    assert done.exit_code == 7
    assert (done.stdout, done.stderr) == ("to stdout\n", "disk full\n")
    run = health.last_run("nightly")
    assert (run.status, run.code, run.started_at) == (Status.UNHEALTHY, 7, None)
    assert set(run.text.splitlines()) == {"to stdout", "disk full"}
    assert run.seconds >= 0
    assert invoke(config, "run", "nightly", "true").exit_code == 0
    assert outcome(health).status is Status.HEALTHY


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--", "/none/such"), 127, "No such file"),
        (("--", "/"), 126, "denied"),
        (("--", "sh", "-c", "kill -9 $$"), 137, ""),
        (("sh", "-c", "exit 3", "--config", "x"), 3, ""),
    ],
)
def test_its_exit_code_is_the_commands_as_a_shell_has_it(config, health, words, code, said):
    done = invoke(config, "run", "nightly", *words)
    assert done.exit_code == code
    assert said in done.stderr
    assert health.last_run("nightly").code == code


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "nightl", "--", "touch", "made"), "did you mean nightly"),
        (("run", "queue", "--", "touch", "made"), "no heartbeat check is named 'queue'"),
        (("run", "nightly", "--"), "say which command"),
        (("run", "nightly"), "Missing argument"),
        (("beat", "nightly", "stop"), "is none of start, fail, log"),
        (("beat", "nightly", "256"), "is none of start, fail, log"),
        (("run", "nightly", "--config", "x", "--", "true"), "stand before the name"),
    ],
)
def test_a_mistake_runs_nothing(config, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    done = invoke(config, *words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tmp_path / "made").exists()


def test_the_job_runs_where_nothing_can_be_recorded(config, tmp_path, health):
    health.beat("nightly")
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as store:
        store.execute("DROP TABLE healthkit_runs")
    done = invoke(config, "run", "nightly", *python("print('done'); raise SystemExit(4)"))
    assert done.exit_code == 4
    assert done.stdout == "done\n"
    assert "start not recorded" in done.stderr
    assert "failure not recorded" in done.stderr


def test_a_child_that_keeps_the_output_open_does_not_hold_up_the_end(config, health):
    done = invoke(config, "run", "nightly", "sh", "-c", "sleep 60 & echo $!")
    os.kill(int(done.stdout), signal.SIGKILL)
    assert done.exit_code == 0
    assert health.last_run("nightly").status is Status.HEALTHY


@pytest.mark.deep
def test_a_signal_reaches_the_job_which_ends_as_it_will(config, health, tmp_path):
    job = (
        "import signal, sys, pathlib\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
        "print('ready', flush=True)\n"
        "signal.pause()"
    )
    command = [sys.executable, "-m", "healthkit", "--config", config, "run", "nightly"]
    process = subprocess.Popen([*command, *python(job)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        assert health.last_run("nightly").started_at is not None
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 5
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert health.last_run("nightly").code == 5


@pytest.mark.deep
def test_a_reader_that_has_gone_changes_neither_the_job_nor_its_code(config, health):
    code = "import sys\nsys.stdout.write('x' * 500_000)\nprint('end', flush=True)\nsys.exit(6)"
    command = [sys.executable, "-m", "healthkit", "--config", config, "run", "nightly"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*command, *python(code)], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (6, b"")
    assert health.last_run("nightly").text.endswith("xend")


@pytest.mark.deep
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_changes_neither_the_job_nor_its_code(config, health, closed):
    job = "echo out; echo err >&2; exit 6"
    words = [sys.executable, "-m", "healthkit", "--config", str(config), "run", "nightly", "--"]
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *words, "sh", "-c", job], check=False
    )
    assert done.returncode == 6
    assert set(health.last_run("nightly").text.splitlines()) == {"out", "err"}


def test_a_beat_by_hand_says_what_a_request_can(config, health):
    for words, status in [(("start",), None), (("3", "--text", "no"), Status.UNHEALTHY)]:
        assert invoke(config, "beat", "nightly", *words).exit_code == 0
        assert health.last_run("nightly").status is status
    assert health.last_run("nightly").text == "no"
    assert invoke(config, "beat", "nightly").output == "nightly: recorded\n"
    assert health.last_run("nightly").status is Status.HEALTHY
