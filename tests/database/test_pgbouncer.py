"""The POS behind PgBouncer in transaction mode: any transaction may have another session."""

import os
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.engine import URL

from healthkit.testing import wait_until
from posapp.app import create_app
from posapp.http.transactions import db
from posapp.settings import Settings
from tests.till import SECRET, Till

CONFIG = """
[databases]
* = host={socket} port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
"""


@pytest.fixture
def pooled(need, database, free_port, tmp_path):
    """The URL of `database` through a PgBouncer with three sessions for all."""
    need("pgbouncer", "setpriv")
    config = tmp_path / "pgbouncer.ini"
    host, port = database.query["host"], database.query["port"]
    config.write_text(CONFIG.format(socket=host, port=port, listen=free_port))
    # It refuses to be root, whose folder the server's socket may lie in.
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    as_nobody += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    command = [*(as_nobody if os.geteuid() == 0 else []), "pgbouncer", "--quiet", config]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: listens(free_port) or process.poll() is not None)
        assert process.poll() is None, process.stderr.read()
        yield URL.create(
            "postgresql+psycopg2", "postgres", None, "127.0.0.1", free_port, database.database
        )
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.deep
def test_tills_sell_and_health_is_told_through_a_pooler(pooled, tmp_path):
    settings = Settings.from_env({"JWT_SECRET": SECRET, "POS_DATA_DIR": str(tmp_path)})
    app = create_app(settings, pooled)
    nobody = Till(app, {})
    body = {"username": "cashier", "password": "cashier-demo"}
    token = nobody.post("/auth/login", body).json["access_token"]
    till = Till(app, {"Authorization": f"Bearer {token}"})
    water = {"product_id": till.menu()["Air Mineral"]["id"], "quantity": 1}

    def sell(_):
        order = till.order(water)
        return order.status_code, till.pay(order.json).status_code, order.json

    with ThreadPoolExecutor(12) as pool:  # four times the sessions
        sold = list(pool.map(sell, range(24)))
    assert {(ordered, paid) for ordered, paid, _ in sold} == {(201, 201)}
    numbers = sorted(order["number"] for *_, order in sold)
    assert numbers == list(range(numbers[0], numbers[0] + 24))
    assert all(order["created_at"].endswith("Z") for *_, order in sold)
    assert till.get(f"/orders/{sold[0][2]['id']}").json["created_at"].endswith("Z")
    health = app.extensions["healthkit"]
    health.start(wait=10)
    found = {result.check.name: result.outcome for result in health.report().results}
    health.stop()
    assert {name: found[name].status.value for name in ("database", "migrations")} == {
        "database": "healthy",
        "migrations": "healthy",
    }
    with app.app_context():
        db.engine.dispose()
