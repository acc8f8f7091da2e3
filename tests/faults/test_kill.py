"""Workers are killed in the middle of orders and payments, and between commit and answer: none is
lost, none is doubled."""

import os
import signal
import threading
from contextlib import contextmanager
from uuid import uuid4

import psutil
import pytest
import requests

from healthkit.testing import wait_until

pytestmark = pytest.mark.fault

CLIENTS, SALES = 6, 8


@pytest.fixture(scope="module")
def server(serve, database):
    return serve(database, WEB_CONCURRENCY="2")


@pytest.fixture
def session(database, cursor):
    """A cursor beside the POS; commits in its database wait for a standby where one is named."""
    cursor.execute(f"ALTER DATABASE {database.database} SET synchronous_commit = on")
    yield cursor
    cursor.execute("ALTER SYSTEM RESET synchronous_standby_names")
    cursor.execute("SELECT pg_reload_conf()")


class Till(threading.Thread):
    """Sells, and sends what was not answered again under its key, as a till does."""

    def __init__(self, url, token, product):
        super().__init__()
        self.url = f"{url}/api/v1/orders"
        self.headers = {"Authorization": f"Bearer {token}"}
        self.product = product
        self.orders = []
        self.unanswered = 0
        self.replayed = 0

    def run(self):
        for _ in range(SALES):
            line = {"product_id": self.product, "quantity": 1}
            order = self.send(self.url, {"type": "takeaway", "lines": [line]})
            payment = {"method": "qris", "amount": order["due"]}
            self.send(f"{self.url}/{order['id']}/payments", payment)
            self.orders.append(order)

    def send(self, url, body):
        headers = {**self.headers, "Idempotency-Key": str(uuid4())}
        for _ in range(10_000):
            try:
                answer = requests.post(url, json=body, headers=headers, timeout=60)
            except requests.RequestException:  # also in the middle of an answer
                self.unanswered += 1
                continue
            if answer.status_code == 201:
                self.replayed += answer.headers.get("Idempotency-Replayed") == "true"
                return answer.json()
            assert answer.status_code == 503, answer.text
        raise AssertionError("never answered")


@contextmanager
def before_a_row_of(table, session):
    """Whoever writes one waits for the lock in the middle of its transaction."""
    session.execute(f"BEGIN; LOCK TABLE {table} IN SHARE MODE")
    yield "wait_event_type = 'Lock'"
    session.execute("ROLLBACK")


@contextmanager
def before_the_answer(session):
    """Whoever has committed waits for a standby that there is not."""
    session.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    session.execute("SELECT pg_reload_conf()")
    yield "wait_event = 'SyncRep'"
    session.execute("ALTER SYSTEM RESET synchronous_standby_names")
    session.execute("SELECT pg_reload_conf()")


@pytest.mark.deep
def test_tills_that_send_again_sell_each_order_exactly_once(server, session):
    login = {"username": "cashier", "password": "cashier-demo"}
    token = requests.post(f"{server.url}/api/v1/auth/login", json=login, timeout=60).json()
    menu = requests.get(f"{server.url}/api/v1/public/menu", timeout=60).json()
    product = menu["categories"][-1]["products"][0]["id"]
    tills = [Till(server.url, token["access_token"], product) for _ in range(CLIENTS)]
    moments = [
        before_a_row_of("orders", session),
        before_a_row_of("payments", session),
        before_the_answer(session),
        before_a_row_of("orders", session),
        before_the_answer(session),
    ]
    master = psutil.Process(server.process.pid)
    for till in tills:
        till.start()
    for number, moment in enumerate(moments):
        wait_until(lambda n=number: sum(len(till.orders) for till in tills) >= 8 * n, 60)
        with moment as waiting:
            wait_until(lambda w=waiting: anybody(session, w), 60)
            kill_workers(master)
    for till in tills:
        till.join(120)
        assert len(till.orders) == SALES
    assert sum(till.unanswered for till in tills) >= len(moments)
    assert sum(till.replayed for till in tills) >= 2  # committed, and not answered the first time
    session.execute("SELECT array_agg(number ORDER BY number), count(*) FROM orders")
    numbers, count = session.fetchone()
    session.execute("SELECT count(*), sum(amount) FROM payments")
    payments, paid = session.fetchone()
    session.execute("SELECT sum(total), count(*) FILTER (WHERE status = 'paid') FROM orders")
    owed, settled = session.fetchone()
    assert count == payments == settled == CLIENTS * SALES
    assert numbers == list(range(1, count + 1))
    assert paid == owed
    assert len({order["id"] for till in tills for order in till.orders}) == count


def anybody(session, waiting):
    session.execute(
        "SELECT count(*) FROM pg_stat_activity"
        f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {waiting}"
    )
    return session.fetchone()[0]


def kill_workers(master):
    for worker in master.children():
        os.kill(worker.pid, signal.SIGKILL)
