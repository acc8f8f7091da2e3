"""The POS starts after every end: kill -9 of each process and of all, at each step of start, run
and stop. In the middle of a start a step is known by what it leaves behind."""

import signal
from contextlib import suppress

import psutil
import pytest

from healthkit.testing import wait_until

pytestmark = [pytest.mark.deep, pytest.mark.fault, pytest.mark.timeout(300)]

STEPS = {
    "the folder is made": "run/demo.lock",
    "the database is being made": "postgres.new-*",
    "the database is there": "postgres/PG_VERSION",
    "the database runs": "postgres/postmaster.pid",
    "the key is made": "jwt-secret",
    "the watcher has begun": "log/watch.log",
    "the server has begun": "log/gunicorn.log",
    "the server counts": "run/metrics-*/*.db",
}
PARTS = ("posapp.runtime.postgres.watchdog", "postgres -D", "healthkit watch", "gunicorn.conf.py")


def begin(user, data_dir, port):
    environ = {"PORT": str(port), "POS_DATA_DIR": str(data_dir), "WEB_CONCURRENCY": "1"}
    return user.start("-m", "posapp", "demo", environ=environ, start_new_session=True)


def family(process):
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    return []


def kill(processes):
    """All at once, as by a power cut: nobody sees another one end and tidies up after it."""
    for end in (psutil.Process.suspend, psutil.Process.kill):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                end(process)


def ended(process, processes):
    process.communicate(timeout=60)
    assert psutil.wait_procs(processes, timeout=30)[1] == []


def starts(user, data_dir, port):
    """It is ready, and an end as an operator wants it leaves nothing."""
    process = begin(user, data_dir, port)
    first = process.stdout.readline()
    processes = family(process)
    process.send_signal(signal.SIGTERM)
    assert first.startswith("Ready: "), process.communicate(timeout=60)
    assert process.communicate(timeout=60) is not None
    assert process.returncode == 0
    ended(process, processes)


@pytest.mark.parametrize("who", ["the command", "all"])
@pytest.mark.parametrize("step", STEPS)
def test_it_starts_after_an_end_in_the_middle_of_a_start(me, tmp_path, free_port, step, who):
    process = begin(me, tmp_path, free_port)
    wait_until(lambda: [*tmp_path.glob(STEPS[step])] or process.poll() is not None, 60)
    processes = family(process)
    kill(processes if who == "all" else processes[:1])
    ended(process, processes)
    starts(me, tmp_path, free_port)


@pytest.mark.parametrize("part", [*PARTS, "all"])
def test_it_starts_after_an_end_while_it_runs(start_pos, me, tmp_path, part):
    pos = start_pos(tmp_path, me)
    kill(pos.family if part == "all" else [pos.named(part)])
    pos.process.communicate(timeout=60)
    assert pos.left(30) == []
    starts(me, tmp_path, pos.port)


@pytest.mark.parametrize("part", [*PARTS, "all"])
def test_it_starts_after_an_end_while_it_stops(start_pos, me, tmp_path, part):
    pos = start_pos(tmp_path, me)
    victims = pos.family if part == "all" else [pos.named(part)]
    pos.process.send_signal(signal.SIGTERM)
    kill(victims)
    pos.process.communicate(timeout=60)
    assert pos.left(30) == []
    starts(me, tmp_path, pos.port)


def test_numbers_that_a_power_cut_left_behind_stop_nothing(start_pos, me, tmp_path):
    """Each file that holds a number names a living process of somebody else."""
    pos = start_pos(tmp_path, me)
    kill(pos.family)
    pos.process.communicate(timeout=60)
    assert pos.left(30) == []
    stranger = psutil.Process()
    named = [*tmp_path.glob("run/*.lock"), tmp_path / "run" / "gunicorn.pid"]
    for path in named:
        path.write_text(f"{stranger.pid}\n")
    pid_file = tmp_path / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
    starts(me, tmp_path, pos.port)
