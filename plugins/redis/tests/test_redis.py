import shutil
import socket
import subprocess
import threading
import tomllib
from contextlib import closing, suppress
from pathlib import Path

import pytest
from pydantic import ValidationError

from healthkit import Health, Status, load_settings
from healthkit.testing import wait_until
from healthkit_redis import Redis, evaluate
from healthkit_redis.protocol import LONGEST_ANSWER, fault_of

README = Path(__file__).parent.parent / "README.md"
PASSWORD = "hush-4831"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """A real server, with a password and 100 MB at most."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        number = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    options = ["--bind", "127.0.0.1", "--port", str(number), "--requirepass", PASSWORD]
    options += ["--save", "", "--maxmemory", "100mb", "--dir", str(folder)]
    log = (folder / "log").open("wb")
    server = subprocess.Popen([program, *options], stdout=log, stderr=log)
    try:
        wait_until(lambda: _listens(number))
        yield number
    finally:
        server.terminate()
        server.wait()
        log.close()


def _listens(port):
    with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
        return True
    return False


def redis(port, credentials=f":{PASSWORD}@", database="/0", host="127.0.0.1", **keys):
    return Redis(url=f"redis://{credentials}{host}:{port}{database}", **keys)


def test_a_server_that_answers_is_healthy_with_its_figures(run_check, port):
    found = run_check(redis(port, database="/3"))
    assert (found.status, found.message) == (Status.HEALTHY, None)
    assert found.details["used_memory_bytes"] > 0
    assert found.details["max_memory_bytes"] == 100 * 2**20
    assert found.details["connected_clients"] >= 1


@pytest.mark.parametrize(
    ("credentials", "database", "said"),
    [
        ("", "", "it wants a password"),
        (":wrong@", "", "the password is wrong"),
        (f"default:{PASSWORD}@", "/99", "it answers with ERR"),
    ],
)
def test_each_refusal_says_why(run_check, port, credentials, database, said):
    found = run_check(redis(port, credentials, database))
    assert (found.status, found.message) == (Status.UNHEALTHY, said)


def test_memory_is_degraded_from_its_share_on(run_check, port):
    assert run_check(redis(port, warn_memory="0.1%")).status is Status.DEGRADED
    assert run_check(redis(port, warn_memory="99%")).status is Status.HEALTHY


def test_a_port_that_nothing_listens_at_says_so(run_check):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        number = server.getsockname()[1]
    found = run_check(redis(number))
    assert found.message == "refused: nothing listens at that port"


@pytest.mark.parametrize(
    ("info", "took", "status", "said"),
    [
        ({}, 0.1, Status.HEALTHY, None),
        ({"used_memory": "79", "maxmemory": "100"}, 0.1, Status.HEALTHY, None),
        ({"used_memory": "80", "maxmemory": "100"}, 0.1, Status.DEGRADED, "80% of its memory"),
        ({"used_memory": "80", "maxmemory": "0"}, 0.1, Status.HEALTHY, None),
        ({"used_memory": "9" * 40, "maxmemory": "-1"}, 0.1, Status.HEALTHY, None),
        ({"loading": "1"}, 0.1, Status.UNHEALTHY, "it still loads its data"),
        ({"role": "slave", "master_link_status": "down"}, 0.1, Status.DEGRADED, "has lost"),
        ({"role": "slave", "master_link_status": "up"}, 0.1, Status.HEALTHY, None),
        ({}, 1.0, Status.HEALTHY, None),
        ({}, 1.01, Status.DEGRADED, "slow: 1.01 s, at most 1 s are expected"),
    ],
)
def test_what_a_server_says_is_judged(info, took, status, said):
    found = evaluate(info, took, 1.0, 80.0)
    assert found.status is status
    assert said is None or said in found.message


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"x" * 10_000,
        b"$-1\r\n",
        b"$99999999999\r\n",
        b":1\r\n",
    ],
)
def test_what_is_no_redis_is_named_so(run_check, answer):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        check = redis(server.getsockname()[1])
        client = {}

        def run():
            client["found"] = run_check(check)

        thread = threading.Thread(target=run)
        thread.start()
        connection, _ = server.accept()
        connection.sendall(answer)
        thread.join()
        connection.close()
    assert client["found"].message == "what answers is no Redis"
    assert LONGEST_ANSWER < 10**8


@pytest.mark.parametrize(
    "url",
    [
        *("http://x", "redis://", "redis://x:99999", "redis://x/one", "redis://[", "x"),
        *("redis://x/²", "redis://x:0", "redis://a..b", f"redis://{'a' * 64}.b", "redis://a\0b"),
    ],
)
def test_an_address_that_is_none_is_a_mistake(url):
    with pytest.raises(ValidationError, match="redis://user:password@host:6379/0"):
        Redis(url=url)


@pytest.mark.parametrize("host", ["[::1]", "cache.example"])
def test_the_target_is_an_address_that_can_be_read_again(host):
    target = redis(6390, host=host).target()
    assert target == f"redis://{host}:6390/0"
    assert Redis(url=target).target() == target


def test_no_one_sees_the_password():
    check = redis(6379)
    assert check.target() == "redis://127.0.0.1:6379/0"
    assert PASSWORD not in repr(check)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "no answer in time"),
        (socket.gaierror(), "the name of the host is not known"),
        (BrokenPipeError(), "the connection was cut by the other side"),
        (OSError(113, "No route to host"), "cannot connect: No route to host"),
    ],
)
def test_each_cause_has_its_own_words(error, said):
    assert fault_of(error) == said


def test_the_example_of_the_readme_runs(port, tmp_path):
    example = README.read_text().partition("```toml\n")[2].partition("```")[0]
    document = {
        **tomllib.loads(example),
        "service": {"name": "Example"},
        "store": {"url": f"sqlite:///{tmp_path}/store.db"},
    }
    environ = {"REDIS_PASSWORD": PASSWORD, "REDIS_PORT": str(port)}
    health = Health(load_settings(document, environ=environ))
    assert health.check_once().result("cache").outcome.status is Status.HEALTHY
    health.stop()
