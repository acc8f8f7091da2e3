"""Workers are killed in the middle of orders and payments: none is lost, none is doubled."""

import os
import signal
import threading
from uuid import uuid4

import psutil
import psycopg2
import pytest
import requests

from healthkit.testing import wait_until

pytestmark = pytest.mark.fault

CLIENTS, SALES = 6, 15


@pytest.fixture(scope="module")
def server(serve, database):
    return serve(database, WEB_CONCURRENCY="2")


class Till(threading.Thread):
    """Sells, and sends what was not answered again under its key, as a till does."""

    def __init__(self, url, token, product):
        super().__init__()
        self.url = f"{url}/api/v1/orders"
        self.headers = {"Authorization": f"Bearer {token}"}
        self.product = product
        self.orders = []
        self.tries = 0

    def run(self):
        for _ in range(SALES):
            line = {"product_id": self.product, "quantity": 1}
            order = self.send(self.url, {"type": "takeaway", "lines": [line]})
            payment = {"method": "qris", "amount": order["due"]}
            self.send(f"{self.url}/{order['id']}/payments", payment)
            self.orders.append(order)

    def send(self, url, body):
        headers = {**self.headers, "Idempotency-Key": str(uuid4())}
        for _ in range(200):
            self.tries += 1
            try:
                answer = requests.post(url, json=body, headers=headers, timeout=20)
            except requests.RequestException:
                continue
            if answer.status_code == 201:
                return answer.json()
            assert answer.status_code == 503, answer.text
        raise AssertionError("never answered")


def test_tills_that_send_again_sell_each_order_exactly_once(server, database):
    login = {"username": "cashier", "password": "cashier-demo"}
    token = requests.post(f"{server.url}/api/v1/auth/login", json=login, timeout=10).json()
    menu = requests.get(f"{server.url}/api/v1/public/menu", timeout=10).json()
    product = menu["categories"][-1]["products"][0]["id"]
    tills = [Till(server.url, token["access_token"], product) for _ in range(CLIENTS)]
    for till in tills:
        till.start()
    master, killed = psutil.Process(server.process.pid), 0
    while any(till.is_alive() for till in tills) and killed < 8:
        sold = sum(len(till.orders) for till in tills)
        goal = min(sold + 8, CLIENTS * SALES)
        wait_until(lambda: sum(len(t.orders) for t in tills) >= goal, 30)  # noqa: B023
        for worker in master.children()[:1]:
            os.kill(worker.pid, signal.SIGKILL)
            killed += 1
    for till in tills:
        till.join(60)
        assert len(till.orders) == SALES
    assert killed >= 3
    assert sum(till.tries for till in tills) > 2 * CLIENTS * SALES  # some had to be sent again
    connection = psycopg2.connect(database.set(drivername="postgresql").render_as_string(False))
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(number ORDER BY number), count(*) FROM orders")
        numbers, count = cursor.fetchone()
        cursor.execute("SELECT count(*), sum(amount) FROM payments")
        payments, paid = cursor.fetchone()
        cursor.execute("SELECT sum(total), count(*) FILTER (WHERE status = 'paid') FROM orders")
        owed, settled = cursor.fetchone()
    connection.close()
    assert count == payments == settled == CLIENTS * SALES
    assert numbers == list(range(1, count + 1))
    assert paid == owed
    assert len({order["id"] for till in tills for order in till.orders}) == count
