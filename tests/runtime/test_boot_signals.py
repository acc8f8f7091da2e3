"""A server that is told to stop stops, in whatever moment of its start or of a connection."""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest
import requests

from healthkit.testing import wait_until
from posapp.runtime import processes
from tests.till import SECRET

FORK = """
import os, signal, time
from posapp.runtime.boot_signals import end_while_booting
{install}
noted = []
for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
    signal.signal(number, lambda number, frame: noted.append(number))  # as gunicorn's master does
ended = []
for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
    child = os.fork()
    if child == 0:
        time.sleep(1)
        os._exit(0)
    os.kill(child, number)
    ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os.kill(os.getpid(), signal.SIGTERM)
print(ended, noted)
"""


@pytest.mark.deep
@pytest.mark.parametrize(
    ("install", "ended"), [("end_while_booting()", "[-15, -3, -2]"), ("", "[0, 0, 0]")]
)
def test_a_child_has_no_handlers_of_its_parent_and_the_parent_keeps_its_own(install, ended):
    done = subprocess.run(
        [sys.executable, "-c", FORK.format(install=install)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"{ended} [15]" or (
        not install and done.stdout.startswith("[0, 0, 0]")
    )


@pytest.mark.slow
@pytest.mark.fault
@pytest.mark.parametrize(
    "moment",
    [
        "Listening at",
        pytest.param("Booting worker with pid: .*Booting worker", marks=pytest.mark.deep),
    ],
)
def test_a_server_that_is_stopped_while_its_workers_boot_ends_by_itself(
    moment, database, tmp_path, free_port
):
    """Well within its grace, after which its workers would be killed."""
    told = {**os.environ, "POS_DATA_DIR": str(tmp_path), "PORT": str(free_port)}
    told |= {"WEB_CONCURRENCY": "2", "GRACEFUL_TIMEOUT": "600", "JWT_SECRET": SECRET}
    told |= {"DATABASE_URL": database.render_as_string(hide_password=False)}
    told |= {"HEALTHKIT_STORE": f"sqlite:///{tmp_path}/healthkit.db"}
    log = tmp_path / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            processes.gunicorn_command(), env=told, stdout=output, stderr=output
        )
    try:
        wait_until(lambda: re.search(moment, log.read_text(), re.S), 60)
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    finally:
        server.kill()


@pytest.mark.deep
@pytest.mark.slow
def test_a_stop_waits_for_the_request_under_way_and_for_no_connection_that_rests(serve, database):
    """nginx keeps connections open for its next request; they are no reason to stay."""
    served = serve(database, GRACEFUL_TIMEOUT="600")
    port = int(served.url.rpartition(":")[2])
    with ExitStack() as kept_open:
        resting = [
            kept_open.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(4)
        ]
        for kept in resting[:3]:
            kept.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += kept.recv(4096)
            assert b"200 OK" in answer
        _stop_while_a_request_is_under_way(served, port)
        for kept in resting:
            assert kept.recv(1) == b""


def _stop_while_a_request_is_under_way(served, port):
    with socket.create_connection(("127.0.0.1", port)) as client:
        head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        body = b'{"username": "cashier", "password": "cashier-demo"}'
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
        requests.get(f"{served.url}/livez", timeout=5)  # by now its head has been read
        served.process.terminate()
        wait_until(lambda: refuses(port), 30)
        client.sendall(body[10:])
        answer = b"".join(iter(lambda: client.recv(65536), b""))  # the connection ends with it
        assert b"200 OK" in answer
        assert b"access_token" in answer
    assert served.process.wait(60) == 0


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False
