import os
import re
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from healthkit import Health, Status, load_settings
from healthkit.testing import wait_until
from healthkit_command import PATH, Command
from healthkit_command.output import MOST_NUMBERS, evaluate, parse_output
from healthkit_command.process import EndedProcess

README = Path(__file__).parent.parent / "README.md"


def sh(code, **more):
    return Command(command=["sh", "-c", code], **more)


@pytest.mark.parametrize(
    ("ended", "status", "message"),
    [
        (EndedProcess(0, b"LOAD OK", b""), Status.HEALTHY, "LOAD OK"),
        (EndedProcess(0, b"", b""), Status.HEALTHY, None),
        (EndedProcess(1, b"WARN | a=1", b""), Status.DEGRADED, "WARN"),
        (EndedProcess(2, b"CRIT\nmore", b""), Status.UNHEALTHY, "CRIT"),
        (EndedProcess(2, b"OK - it says", b""), Status.UNHEALTHY, "OK - it says"),
        (EndedProcess(2, b"", b""), Status.UNHEALTHY, "exit code 2, and no output"),
        (EndedProcess(1, b"", b"no route\nx"), Status.DEGRADED, "no route"),
        (EndedProcess(3, b"bad arguments", b""), Status.UNHEALTHY, "unknown: bad arguments"),
        (EndedProcess(3, b"", b""), Status.UNHEALTHY, "unknown"),
        (EndedProcess(4, b"x", b""), Status.UNHEALTHY, "exit code 4: x"),
        (EndedProcess(127, b"", b"x"), Status.UNHEALTHY, "exit code 127: x"),
        (EndedProcess(None, b"", b"", signal=9), Status.UNHEALTHY, "ended by SIGKILL"),
        (EndedProcess(None, b"", b"", signal=63), Status.UNHEALTHY, "ended by signal 63"),
        (
            EndedProcess(None, b"so far", b"", overran=True, seconds=4.5),
            Status.UNHEALTHY,
            "killed after 4.5 s: so far",
        ),
        (
            EndedProcess(None, b"", b""),
            Status.UNHEALTHY,
            "another part of this process took its exit code",
        ),
    ],
)
def test_the_exit_code_alone_is_the_status(ended, status, message):
    found = evaluate(ended)
    assert (found.status, found.message) == (status, message)


@pytest.mark.parametrize(
    ("output", "numbers"),
    [
        ("x", {}),
        ("x | a=1", {"a": 1.0}),
        ("x|time=12ms;50;100;0 size=3KB", {"time": 0.012, "size": 3000.0}),
        ("x | 'free space'=5GB;;;0;10 '/''s'=1.5%", {"free space": 5e9, "/'s": 1.5}),
        ("x | a=U b=2c c=-3 d=.5", {"b": 2.0, "c": -3.0, "d": 0.5}),
        (
            "x | a=1\nlong text\nmore | b=2\nc=3us d=x",
            {"a": 1.0, "b": 2.0, "c": pytest.approx(3e-6)},
        ),
        ("x | a=- b=. c= =4 d=1e5 e=1;2 'f=3", {"e": 1.0}),
        (f"x | a={'9' * 50} b=1", {"b": 1.0}),
        (f"x | {'l' * 101}=1 b=1", {"b": 1.0}),
        ("x | " + " ".join(f"n{i}={i}" for i in range(99)), {f"n{i}": i for i in range(50)}),
    ],
)
def test_performance_data_is_read_in_seconds_and_bytes(output, numbers):
    assert parse_output(output) == ("x", numbers)


@given(st.text(alphabet="'=| \n;ax1.%sU\u0000é", max_size=200))
def test_any_output_is_read_without_error(output):
    text, numbers = parse_output(output)
    assert "\n" not in text
    assert len(numbers) <= MOST_NUMBERS


def test_a_program_runs_with_its_words_and_a_clean_environment(run_check, monkeypatch):
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    check = Command(command=["sh", "-c", "env; echo $0 $1", "a b", "$(id)"], env={"MINE": "x y"})
    run_check(check)
    listing = Command(command=["sh", "-c", "env | sort | tr '\\n' ' '"], env={"MINE": "x"})
    said = run_check(listing).message
    assert "hunter2" not in said
    assert "MINE=x" in said
    assert f"PATH={PATH}" in said
    assert run_check(Command(command=["echo", "$(id)", ";", "x"])).message == "$(id) ; x"
    assert run_check(sh("cat; echo fed")).message == "fed", "its input is empty"


def test_a_program_that_is_not_there_or_cannot_run_is_named(run_check, tmp_path):
    missing = run_check(Command(command=["check_none"]))
    assert missing.message == "check_none: not found, or not executable"
    file = tmp_path / "broken"
    file.write_bytes(b"\x7fELF nothing")
    file.chmod(0o755)
    assert "cannot be run" in run_check(Command(command=[str(file)])).message
    file.chmod(0o644)
    assert "not executable" in run_check(Command(command=[str(file)])).message


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"command": "check_load -w 5"}, "no shell is started"),
        ({"command": []}, "at least 1"),
        ({"command": ["bin/check"]}, "whole path"),
        ({"command": ["sh", "a\0b"]}, "NUL"),
        ({"command": ["sh"], "max_output": "2MB"}, "1000000"),
        ({"command": [""]}, "empty text"),
        ({"command": ["sh"], "env": {"A=B": "x"}}, "'A=B' is no name of a variable"),
        ({"command": ["sh"], "env": {"": "x"}}, "no name of a variable"),
        ({"command": ["sh"], "env": {"A": "x\0"}}, "the value of 'A' cannot have a NUL"),
    ],
)
def test_a_mistake_is_named(keys, said):
    with pytest.raises(ValidationError, match=said):
        Command(**keys)


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_at_its_time_it_is_killed_with_all_that_it_has_started(run_check, tmp_path):
    pids = tmp_path / "pids"
    code = f"trap '' TERM; sleep 60 & echo $! $$ > {pids}; echo waiting; wait"
    found = run_check(sh(code), timeout=1.0)
    assert found.message == "killed after 0.9 s: waiting"
    for pid in pids.read_text().split():
        wait_until(lambda pid=pid: not alive(pid))


def test_what_it_leaves_running_neither_holds_it_up_nor_outlives_it(run_check):
    found = run_check(sh("sleep 60 & echo $!"), timeout=20.0)
    assert found.status is Status.HEALTHY
    wait_until(lambda: not alive(found.message))


def test_a_flood_of_output_is_capped_and_does_not_block_it(run_check):
    flood = "head -c 5000000 /dev/zero | tr '\\0' x; echo; head -c 300000 /dev/zero >&2; exit 1"
    found = run_check(sh(flood, max_output="1KB"), timeout=30.0)
    assert found.status is Status.DEGRADED
    assert len(found.message) == 1000


def test_it_leaves_no_descriptor_and_no_child_behind(run_check):
    run_check(sh("true"))
    before, children = set(os.listdir("/proc/self/fd")), set(children_of_this_process())
    for code in ("exit 2", "kill -9 $$", "exec >&- 2>&-; sleep 0.1"):
        run_check(sh(code))
    assert set(os.listdir("/proc/self/fd")) <= before
    assert set(children_of_this_process()) <= children


def test_it_runs_in_a_process_that_has_thousands_of_files_open(run_check):
    """As a server with as many connections: `select` knows the first 1024 alone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        found = run_check(sh("echo fine; echo odd >&2"))
    finally:
        for one in files:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (found.status, found.message) == (Status.HEALTHY, "fine")


def children_of_this_process():
    """Those of every thread, also those that have ended and were not waited for."""
    return [
        child
        for thread in Path("/proc/self/task").iterdir()
        for child in (thread / "children").read_text().split()
    ]


@pytest.mark.deep
def test_under_gevent_it_runs_on_the_checks_own_thread(tmp_path):
    pytest.importorskip("gevent")
    code = (
        "from gevent import monkey; monkey.patch_all()\n"
        "from healthkit import Health, load_settings\n"
        "check = {'type': 'command', 'command': ['echo', 'fine'], 'timeout': '30s'}\n"
        f"store = {{'url': 'sqlite:///{tmp_path}/x.db'}}\n"
        "document = {'service': {'name': 'x'}, 'store': store, 'checks': {'c': check}}\n"
        "print(Health(load_settings(document)).check_once().result('c').outcome.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=90)
    assert done.stdout == "fine\n", done.stderr


def test_the_readmes_example_runs():
    (example,) = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    settings = load_settings({"service": {"name": "x"}, **tomllib.loads(example)})
    outcome = Health(settings).check_once().result("users").outcome
    assert (outcome.status, outcome.message) == (Status.HEALTHY, "USERS OK - 3")
    assert outcome.details == {"users": 3.0}
