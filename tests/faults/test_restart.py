"""A database that restarts in the middle of a sale: 503, and the same key gives the order."""

import os
import signal
import threading
from contextlib import contextmanager
from uuid import uuid4

import psycopg2
import pytest

from healthkit import SYSTEM_CLOCK
from healthkit.testing import wait_until
from posapp.app import create_app
from posapp.database.engine import open_session
from posapp.database.schema import upgrade
from posapp.features.seed import seed_demo_data
from posapp.http.transactions import db
from posapp.runtime.postgres import use_server
from posapp.settings import Settings
from tests.till import SECRET, Till

pytestmark = pytest.mark.fault

CRASH_SAFE = {"fsync": "off", "full_page_writes": "off"}
"""It is PostgreSQL that crashes here, not the machine."""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "server"


@contextmanager
def session_beside(url):
    """A cursor of a session that may be cut off."""
    connection = psycopg2.connect(
        host=url.query["host"], port=url.query["port"], user=url.username, dbname=url.database
    )
    connection.autocommit = True
    yield connection.cursor()
    connection.close()


def in_the_middle(cursor):
    cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return cursor.fetchone()[0] == 1


def seeded_app(url, folder):
    settings = Settings.from_env({"JWT_SECRET": SECRET, "POS_DATA_DIR": str(folder)})
    upgrade(url)
    with open_session(url, settings) as session:
        seed_demo_data(session, SYSTEM_CLOCK.now())
    return create_app(settings, url)


def cashier_of(app):
    body = {"username": "cashier", "password": "cashier-demo"}
    token = Till(app, {}).post("/auth/login", body).json["access_token"]
    return Till(app, {"Authorization": f"Bearer {token}"})


def test_the_sale_is_503_and_its_key_gives_the_order_afterwards(folder, tmp_path):
    keys, answers = [str(uuid4()), str(uuid4())], []
    with use_server(folder, CRASH_SAFE) as server:
        app = seeded_app(server.url, tmp_path)
        till = cashier_of(app)
        water = {"product_id": till.menu()["Air Mineral"]["id"], "quantity": 1}
        bill = till.order(water).json
        with session_beside(server.url) as holding, session_beside(server.url) as watching:
            holding.execute("BEGIN; LOCK TABLE audit_log IN SHARE MODE")
            sale = threading.Thread(target=lambda: answers.append(till.order(water, key=keys[0])))
            sale.start()
            wait_until(lambda: in_the_middle(watching))
            os.kill(server.pid, signal.SIGQUIT)  # ends at once, as in a crash
            sale.join()
    answers.append(till.pay(bill, key=keys[1]))  # it is not back yet
    for answer in answers:
        assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
        assert int(answer.headers["Retry-After"]) > 0
    with use_server(folder, CRASH_SAFE):
        order = till.order(water, key=keys[0])
        assert (order.status_code, order.json["number"]) == (201, bill["number"] + 1)
        assert "Idempotency-Replayed" not in order.headers
        assert till.order(water, key=keys[0]).headers["Idempotency-Replayed"] == "true"
        assert till.pay(bill, key=keys[1]).status_code == 201
        app.extensions["healthkit"].stop()
        with app.app_context():
            db.engine.dispose()
