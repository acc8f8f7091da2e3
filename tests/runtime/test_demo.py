import json
import signal
import socket
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from healthkit.testing import wait_until
from posapp.runtime.postgres import DataDirectory


def get(url):
    try:
        with urlopen(url, timeout=60) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def sign_in(pos, username, password):
    body = json.dumps({"username": username, "password": password}).encode()
    request = Request(f"{pos.url}/api/v1/auth/login", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)


def postmaster(data_dir):
    return psutil.Process(DataDirectory(Path(data_dir).resolve()).postmaster().pid)


def one_line(done):
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_it_says_where_it_is_and_how_to_sign_in(running_pos):
    assert running_pos.greeting.startswith(f"Ready: http://127.0.0.1:{running_pos.port}\n")
    assert get(f"{running_pos.url}/readyz")[0] == 200
    assert get(f"{running_pos.url}/health")[0] == 200
    rows = [line.split() for line in running_pos.greeting.splitlines() if "-demo" in line]
    assert [row[0] for row in rows] == ["admin", "manager", "cashier", "waiter", "kitchen"]
    for username, password, *_ in rows:
        assert sign_in(running_pos, username, password)["user"]["role"] == username


def test_it_is_the_production_server_on_gevent(running_pos):
    log = (running_pos.data_dir / "log" / "gunicorn.log").read_text()
    assert "Using worker: gevent" in log
    assert log.count("Booting worker") >= 2


def test_a_second_demo_on_the_same_data_is_refused_with_the_first_ones_number(
    running_pos, me, free_port
):
    environ = {"POS_DATA_DIR": str(running_pos.data_dir), "PORT": str(free_port)}
    assert f"process {running_pos.pid}" in one_line(me.run("demo", environ=environ))
    assert get(f"{running_pos.url}/readyz")[0] == 200


@pytest.mark.deep
def test_ctrl_c_stops_all_of_it_and_a_second_start_finds_the_data_of_the_first(
    start_pos, me, tmp_path
):
    pos = start_pos(tmp_path, me, fresh=True)
    menu = get(f"{pos.url}/api/v1/public/menu")
    pos.process.send_signal(signal.SIGINT)
    assert pos.wait() == (0, "")
    assert pos.left() == []
    again = start_pos(tmp_path, me)
    assert get(f"{again.url}/api/v1/public/menu") == menu
    again.process.send_signal(signal.SIGTERM)
    assert again.wait() == (0, "")
    assert again.left() == []


@pytest.mark.deep
def test_an_ordinary_user_runs_all_of_it(start_pos, ordinary_user):
    pos = start_pos(ordinary_user.folder / "var", ordinary_user, fresh=True, WEB_CONCURRENCY="2")
    assert {get(f"{pos.url}/readyz")[0] for _ in range(20)} == {200}, "every worker is ready"
    owners = set()
    for process in pos.family:
        with suppress(psutil.NoSuchProcess):  # a connection's process has ended with it
            owners.add(process.uids().effective)
    assert owners == {ordinary_user.uid}
    assert pos.stop() == 0
    assert pos.left() == []


@pytest.mark.deep
@pytest.mark.fault
@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("gunicorn", "gunicorn has ended (killed by SIGKILL)"),
        ("postgres", "PostgreSQL has ended: killed by SIGKILL"),
        ("watchdog", "PostgreSQL has ended"),
    ],
)
def test_a_part_that_is_killed_takes_the_rest_with_it_and_is_named(
    start_pos, me, tmp_path, part, said
):
    pos = start_pos(tmp_path, me)
    victims = {
        "gunicorn": lambda: pos.named("gunicorn.conf.py"),
        "postgres": lambda: postmaster(tmp_path),
        "watchdog": lambda: pos.named("posapp.runtime.postgres.watchdog"),
    }
    victims[part]().kill()
    code, errors = pos.wait()
    assert code == 1
    assert said in errors
    assert "the rest is stopped" in errors.splitlines()[0]
    assert "Traceback" not in errors
    assert pos.left() == []


@pytest.mark.deep
@pytest.mark.fault
def test_when_it_is_killed_itself_nothing_lives_on(start_pos, me, tmp_path):
    pos = start_pos(tmp_path, me)
    pos.process.kill()
    pos.process.wait()
    assert pos.left(seconds=20) == []


@pytest.mark.deep
@pytest.mark.fault
def test_a_killed_worker_is_replaced_and_nothing_else_happens(start_pos, me, tmp_path):
    pos = start_pos(tmp_path, me, WEB_CONCURRENCY="2")
    master = pos.named("gunicorn.conf.py")
    workers = master.children()
    workers[0].kill()
    wait_until(lambda: len({*master.children()} - {*workers}) == 1)
    wait_until(lambda: get(f"{pos.url}/readyz")[0] == 200)
    assert pos.process.poll() is None
    assert pos.stop() == 0


def is_told(process, number):
    """Whether a signal waits for a process, see SigPnd and ShdPnd in proc(5), or it is gone."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return True
    masks = [int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd", "ShdPnd"))]
    return any(mask & 1 << (number - 1) for mask in masks)


@pytest.mark.deep
@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.parametrize("interrupts", [pytest.param(1, marks=pytest.mark.deep), 2])
def test_parts_that_hang_are_killed_after_a_while_or_at_the_second_ctrl_c(
    start_pos, me, tmp_path, interrupts
):
    pos = start_pos(tmp_path, me)
    server, gunicorn = postmaster(tmp_path), pos.named("gunicorn.conf.py")
    for process in (gunicorn, server, *server.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # a worker of the moment
            process.suspend()
    pos.process.send_signal(signal.SIGINT)
    if interrupts == 2:
        wait_until(lambda: is_told(gunicorn, signal.SIGTERM))
        pos.process.send_signal(signal.SIGINT)
    assert pos.wait()[0] == 0
    assert pos.left() == []


def test_a_port_in_use_is_one_line_and_nothing_is_started(me, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environ = {"PORT": str(port), "POS_DATA_DIR": str(tmp_path / "var")}
        said = one_line(me.run("demo", environ=environ))
    assert said.startswith(f"port {port}: address already in use; choose another with: PORT=")
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PORT", "many", "PORT: "),
        ("DATABASE_URL", "postgresql://localhost/theirs", "unset DATABASE_URL"),
        ("DB_HOST", "localhost", "unset DATABASE_URL and DB_HOST"),
        ("HEALTHKIT_CONFIG", "nowhere.toml", "nowhere.toml: "),
    ],
)
def test_a_mistake_in_the_environment_is_one_line(me, tmp_path, free_port, variable, value, said):
    environ = {"PORT": str(free_port), "POS_DATA_DIR": str(tmp_path / "var"), variable: value}
    assert said in one_line(me.run("demo", environ=environ))
    assert not (tmp_path / "var").exists()


def test_it_never_runs_in_production(me, tmp_path):
    environ = {
        "ENVIRONMENT": "production",
        "JWT_SECRET": "7f3b9c1e5a8d2460b7e9f1a3c5d80246",
        "DATABASE_URL": "postgresql://localhost/theirs",
        "POS_DATA_DIR": str(tmp_path),
    }
    assert "ENVIRONMENT=production" in one_line(me.run("demo", environ=environ))
    assert "ENVIRONMENT=production" in one_line(me.run("seed", environ=environ))


@pytest.mark.deep
@pytest.mark.fault
def test_a_full_disk_is_one_line(me, free_port, small_disk):
    environ = {"PORT": str(free_port), "POS_DATA_DIR": str(small_disk(20))}
    assert "the disk is full" in one_line(me.run("demo", environ=environ))
    environ["POS_DATA_DIR"] = str(small_disk(41))  # enough for initdb, not for the schema
    assert "the disk is full" in one_line(me.run("demo", environ=environ))


@pytest.mark.deep
def test_half_a_data_folder_is_one_line(me, free_port, tmp_path):
    (tmp_path / "postgres" / "base").mkdir(parents=True)
    environ = {"PORT": str(free_port), "POS_DATA_DIR": str(tmp_path)}
    assert "not a whole PostgreSQL data folder" in one_line(me.run("demo", environ=environ))


def test_what_it_writes_is_for_its_user_alone(running_pos):
    """Sockets, locks, logs, stores, data: no local user gets at any of it."""
    found = [running_pos.data_dir, *running_pos.data_dir.rglob("*")]
    names = {path.name for path in found}
    assert {"healthkit.db", "demo.lock", "gunicorn.log", "jwt-secret", "run"} <= names
    wide = {}
    for path in found:
        with suppress(FileNotFoundError):  # a server at work
            wide[path] = path.lstat().st_mode & 0o077
    assert {path for path, mode in wide.items() if mode} == set()


def test_the_programs_get_no_secret_that_is_not_theirs(running_pos):
    """The signing key is the server's; PostgreSQL gets none of the environment's."""
    for name, secrets in {
        "healthkit watch": {"JWT_SECRET"},
        "watchdog": {"JWT_SECRET", "TELEGRAM_URL"},
    }.items():
        assert secrets.isdisjoint(running_pos.named(name).environ()), name


@pytest.mark.deep
def test_the_signing_key_is_made_once_and_for_its_user_alone(running_pos):
    key = running_pos.data_dir / "jwt-secret"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text().strip()) == 64
