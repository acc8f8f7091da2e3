"""PostgreSQL stops answering (SIGSTOP): the POS goes on telling the truth, at once."""

import os
import signal
import socket
import subprocess
import threading
import tomllib
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import requests

from healthkit import SYSTEM_CLOCK
from healthkit.fields import parse_duration
from healthkit.testing import wait_until
from posapp.database.engine import open_session
from posapp.database.schema import upgrade
from posapp.features.seed import seed_demo_data
from posapp.runtime import processes
from posapp.runtime.postgres import use_server
from posapp.settings import Settings

pytestmark = pytest.mark.fault

SIX_SECONDS = timedelta(seconds=6)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Pos:
    """The production server on a PostgreSQL of its own, which can be frozen."""

    def __init__(self, postgres, worker_class, folder):
        self.postgres = postgres
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = Settings.from_env({"POS_DATA_DIR": str(folder)})
        upgrade(postgres.url)
        with open_session(postgres.url, settings) as session:
            seed_demo_data(session, SYSTEM_CLOCK.now())
        environ = processes.child_environment(os.environ, settings, postgres.url)
        environ |= {"PORT": str(port), "WEB_CONCURRENCY": "1", "GRACEFUL_TIMEOUT": "1"}
        environ["HEALTHKIT_STORE"] = f"sqlite:///{folder}/healthkit.db"
        command = [*processes.gunicorn_command(), "--worker-class", worker_class, "--threads", "8"]
        self.log = (Path(folder) / "server.log").open("w")
        self.process = subprocess.Popen(command, env=environ, stdout=self.log, stderr=self.log)
        try:
            wait_until(lambda: self.status() == 200, 60)
        except BaseException:
            self.stop()
            raise

    def status(self):
        try:
            return requests.get(f"{self.url}/health", timeout=5).status_code
        except requests.RequestException:  # also a worker that is still loading
            return None

    def freeze(self):
        server = psutil.Process(self.postgres.pid)
        self.frozen = [server, *server.children(recursive=True)]
        for process in self.frozen:
            process.send_signal(signal.SIGSTOP)

    def thaw(self):
        for process in self.frozen:
            process.send_signal(signal.SIGCONT)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


@pytest.fixture(params=["gevent", pytest.param("gthread", marks=pytest.mark.deep)])
def pos(request, tmp_path):
    with use_server(tmp_path) as postgres:
        pos = Pos(postgres, request.param, tmp_path)
        try:
            yield pos
        finally:
            pos.stop()


@pytest.mark.deep
def test_every_health_answers_while_the_database_is_frozen_and_says_so(pos):
    session = requests.Session()
    token = sign_in(pos)
    worker = psutil.Process(pos.process.pid).children()[0].pid
    answers = []

    def ask():
        """Nothing that waits for the database is answered before it thaws."""
        answers.append(session.get(f"{pos.url}/health", timeout=60))
        return len(answers) > 50 and answers[-1].status_code == 503

    pos.freeze()
    try:
        # Requests that need the database pile up meanwhile; they must stop no other.
        stuck = [threading.Thread(target=ask_for_orders, args=(pos, token)) for _ in range(4)]
        for thread in stuck:
            thread.start()
        wait_until(ask, 60)
        database = answers[-1].json()["checks"]["database"]
        assert database["status"] == "unhealthy"
        assert database["response_time"] == "timeout"
        assert requests.get(f"{pos.url}/livez", timeout=60).status_code == 200
        assert requests.get(f"{pos.url}/readyz", timeout=60).status_code == 503
    finally:
        pos.thaw()
    for thread in stuck:
        thread.join()
    wait_until(lambda: pos.status() == 200, 60)
    assert psutil.Process(pos.process.pid).children()[0].pid == worker


def test_a_frozen_database_is_found_within_six_seconds():
    """As healthkit.toml is shipped: the pause between two runs, and how long one may take."""
    check = tomllib.loads((processes.ROOT / "healthkit.toml").read_text())["checks"]["database"]
    assert parse_duration(check["interval"]) + parse_duration(check["timeout"]) <= SIX_SECONDS


def sign_in(pos):
    body = {"username": "cashier", "password": "cashier-demo"}
    return requests.post(f"{pos.url}/api/v1/auth/login", json=body, timeout=60).json()[
        "access_token"
    ]


def ask_for_orders(pos, token):
    requests.get(
        f"{pos.url}/api/v1/orders", headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
