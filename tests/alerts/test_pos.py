"""The POS itself: its database is stopped, and its people are told, once."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import psutil
import pytest
import requests
from sqlalchemy import create_engine, text

from healthkit import Health, ServiceSettings, Status, StoreSettings, load_settings
from healthkit import Settings as HealthSettings
from healthkit.testing import HttpSink, wait_until
from posapp.database.schema import upgrade
from posapp.operations.health import Books, PosBackupFreshness
from posapp.runtime import processes
from posapp.runtime.postgres import use_server
from posapp.settings import Settings

INTERVAL, FAIL_AFTER = 0.5, 3
DOWN, UP = "🔴 Database is DOWN", "✅ Database is back UP"


def health_on(path):
    """A Health that reads the store in a file."""
    store = StoreSettings(url=f"sqlite:///{path}")
    return Health(HealthSettings(service=ServiceSettings(name="test"), store=store))


class Pos:
    """The server and the watcher as the demo starts them, on a PostgreSQL that can be frozen."""

    def __init__(self, postgres, folder, sink, port):
        self.postgres = postgres
        self.folder = folder
        self.sink = sink
        self.url = f"http://127.0.0.1:{port}"
        upgrade(postgres.url)
        config = folder / "healthkit.toml"
        quick = (processes.ROOT / "healthkit.toml").read_text()
        quick = quick.replace('interval = "3s" ', 'interval = "500ms" ')
        quick = quick.replace("[watch]", '[watch]\nlease = "3s"')
        config.write_text(quick.replace('timeout = "2s"', 'timeout = "500ms"'))
        settings = Settings.from_env({"POS_DATA_DIR": str(folder), "HEALTHKIT_CONFIG": str(config)})
        environ = {**os.environ, "TELEGRAM_URL": sink.url("/telegram", "json")}
        environ |= {"BACKUP_DIR": str(folder / "backups"), "POS_DATA_DIR": str(folder)}
        environ = processes.child_environment(environ, settings, postgres.url)
        self.environ = environ | {"PORT": str(port), "WEB_CONCURRENCY": "1"}
        self.store = health_on(folder / "healthkit.db")
        self.store.outbox_status(_now())  # makes its tables, which the watcher would soon
        self.parts = []
        self.frozen = []
        self.backend = self.start("gunicorn", processes.gunicorn_command())
        self.watcher = self.watch()

    def start(self, name, command):
        with (self.folder / f"{name}.log").open("a") as log:
            part = subprocess.Popen(command, env=self.environ, stdout=log, stderr=log)
        self.parts.append(part)
        return part

    def watch(self):
        return self.start("watch", [sys.executable, "-m", "healthkit", "watch"])

    def kill_watcher(self):
        self.watcher.kill()
        self.watcher.wait(60)
        self.watcher = self.watch()

    def state(self):
        return self.states().get("database")

    def states(self):
        """What the watcher has stored of each check."""
        with closing(sqlite3.connect(self.folder / "healthkit.db")) as database:
            rows = database.execute("SELECT check_name, state FROM healthkit_states")
            return {name: json.loads(state) for name, state in rows}

    def seen(self, failing):
        state = self.state()
        return bool(state and state["down"]) and state["down"]["reached"] is failing

    def signal(self, number):
        for process in self.frozen:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def freeze(self):
        postmaster = psutil.Process(self.postgres.pid)
        self.frozen = [postmaster, *postmaster.children(recursive=True)]
        self.signal(signal.SIGSTOP)

    def titles(self):
        return [request.json()["title"] for request in list(self.sink.requests)]

    def stop(self):
        for part in self.parts:
            part.terminate()
        for part in self.parts:
            part.wait(60)
        self.store.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pos")
    sink = HttpSink()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with use_server(folder) as postgres:
        pos = Pos(postgres, folder, sink, port)
        try:
            yield pos
        finally:
            pos.signal(signal.SIGCONT)
            pos.stop()
            sink.stop()


@pytest.fixture
def pos(running):
    """The POS, healthy and watched, with no message told yet."""
    running.signal(signal.SIGCONT)
    if running.watcher.poll() is not None:
        running.watcher = running.watch()
    wait_until(lambda: running.seen(failing=False) and running.state()["told"] == 0, 60)
    running.sink.requests.clear()
    return running


@pytest.mark.alone  # it holds the contract's bound in seconds
@pytest.mark.fault
@pytest.mark.parametrize("killed", [pytest.param(False, marks=pytest.mark.deep), True])
def test_a_database_that_stops_is_one_down_message_and_its_return_one_up(pos, killed):
    pos.freeze()
    began = time.monotonic()
    if killed:
        wait_until(lambda: pos.seen(failing=True), 60)
        pos.kill_watcher()
    wait_until(pos.titles, 60)
    if not killed:
        assert time.monotonic() - began <= FAIL_AFTER * INTERVAL + 5, "the contract's bound"
    if killed:
        # Before the delivery is written down a message may double: at least once, not at most.
        wait_until(lambda: pos.store.outbox_status(_now()).oldest_due is None)
        pos.kill_watcher()
    down = pos.sink.requests[0].json()["message"].splitlines()
    assert down[0].startswith("URL: postgresql://")
    assert down[1].startswith("Error: no answer within 0.5s")
    assert down[2].startswith("Time: ")
    assert down[2].endswith(" WIB")
    assert down[3].startswith("Duration: ")
    assert down[4] == "Action: Check logs immediately"
    assert down[5] == "Quiet while it lasts: Books, Clock, Migrations, Point in time"
    pos.signal(signal.SIGCONT)
    if killed:
        pos.kill_watcher()
    wait_until(lambda: len(pos.titles()) > 1, 60)
    lasted = pos.sink.requests[1].json()["message"].splitlines()[1]
    assert lasted.startswith("Downtime: ")
    wait_until(lambda: pos.store.outbox_status(_now()).oldest_due is None)
    assert pos.titles() == [DOWN, UP]


@pytest.mark.deep
def test_the_health_of_the_pos_knows_its_watcher_and_does_not_cry_on_its_first_day(pos):
    def health():
        try:
            return requests.get(f"{pos.url}/health", timeout=5).json()
        except requests.RequestException:
            return {"status": None}

    def all_healthy():
        checks = health().get("checks", {"none": {"status": None}})
        return all(check["status"] == "healthy" for check in checks.values()) and checks

    checks = wait_until(all_healthy, 30)
    assert health()["status"] == "healthy"
    number = f"process {pos.watcher.pid}"
    wait_until(lambda: health()["checks"]["alerting"]["watcher"].endswith(number))
    assert checks["backup"]["message"] == "waiting for the first backup: posapp backup daily"
    assert {"books", "migrations", "disk"} < set(checks)
    assert "backend" not in checks, "only the watcher asks for it"
    assert "backend" in pos.states()
    pos.watcher.kill()
    wait_until(lambda: "no watcher runs" in health()["checks"]["alerting"].get("error", ""), 60)
    assert health()["status"] == "degraded"


def _now():
    return datetime.now(UTC)


# The configuration


def test_the_configuration_of_the_pos_is_the_runbooks_table_of_severities():
    environ = {
        "DATABASE_URL": "postgresql:///x",
        "TELEGRAM_URL": "json://a",
        "EMAIL_URL": "json://b",
        "CALL_URL": "json://c",
    }
    settings = load_settings(processes.ROOT / "healthkit.toml", environ=environ)
    table = {name.value: route.channels for name, route in settings.routes.items()}
    assert table == {
        "critical": ("telegram", "email", "call"),
        "high": ("telegram", "email"),
        "medium": ("email",),
        "low": ("email",),
    }
    severities = {check.info.name: check.info.severity.value for check in settings.checks}
    assert severities["database"] == severities["backend"] == "critical"
    required = [check.info.name for check in settings.checks if check.info.role == "required"]
    assert required == ["database", "migrations"]


@pytest.mark.deep
def test_without_addresses_every_channel_is_off_and_apprise_is_not_loaded():
    code = (
        "import sys; from healthkit import Health, load_settings;"
        "Health.from_file('healthkit.toml'); load_settings('healthkit.toml');"
        "print('apprise' in sys.modules)"
    )
    environ = {**os.environ, "DATABASE_URL": "postgresql:///x"}
    for name in ("TELEGRAM_URL", "EMAIL_URL", "CALL_URL"):
        environ.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ,
        cwd=processes.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "False\n", done.stderr


# The POS's own checks


ORDER = """
INSERT INTO orders (number, business_date, type, status, subtotal, discount, service_charge, tax,
  rounding, total, paid, created_by, created_at)
VALUES (900, current_date, 'takeaway', 'open', 1000, 0, 0, 0, 0, 1000, 400,
  (SELECT min(id) FROM users), now()) RETURNING id
"""
PAYMENT = """
INSERT INTO payments (order_id, method, amount, tendered, change, business_date, receipt_number,
  created_by, created_at)
VALUES (:order, 'qris', 300, 300, 0, current_date, :number, (SELECT min(id) FROM users), now())
"""


@pytest.mark.deep
def test_books_that_do_not_add_up_are_told(database, run_check):
    check = Books(url=database.render_as_string(hide_password=False))
    assert run_check(check).status is Status.HEALTHY
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        order = connection.execute(text(ORDER)).scalar_one()
        connection.execute(text(PAYMENT), {"order": order, "number": 901})
    engine.dispose()
    outcome = run_check(check)
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == (
        "1 days whose receipt numbers have a gap; 1 orders whose payments do not add up"
    )


@pytest.mark.deep
def test_the_first_backup_is_waited_for_and_missed_when_it_does_not_come(tmp_path, run_check):
    store = health_on(tmp_path / "store.db")
    check = PosBackupFreshness(location=str(tmp_path / "daily"), max_age="26h", min_size="1KB")

    def judged(hours):
        now = _now() + timedelta(hours=hours)
        return run_check(check, name="backup", now=now, heartbeats=store)

    assert judged(0).status is Status.HEALTHY
    assert judged(25).status is Status.HEALTHY
    assert judged(27).status is Status.UNHEALTHY
    (tmp_path / "daily").mkdir()
    assert judged(27).message == "there is no backup"
    store.stop()
