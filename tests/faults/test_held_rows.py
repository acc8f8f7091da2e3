"""A forgotten psql session holds a row: that is the trouble of who needs it, and of nobody else."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import requests

from healthkit.testing import wait_until

pytestmark = pytest.mark.fault

PAYERS = 40
"""More than a worker has connections."""


@pytest.fixture
def held(database, cursor):
    """`held(statement)`: a session that runs it and is forgotten."""
    cursor.execute("BEGIN")
    yield cursor.execute
    cursor.execute("ROLLBACK")


def refused_for_now(answer):
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    return int(answer.headers["Retry-After"]) > 0


@pytest.mark.deep
def test_a_held_order_is_503_for_its_payments_alone(cashier, water, held):
    bill, other, key = cashier.order(water).json, cashier.order(water).json, str(uuid4())
    held(f"SELECT 1 FROM orders WHERE id = {bill['id']} FOR UPDATE")
    assert refused_for_now(cashier.pay(bill, key=key))
    assert cashier.pay(other).status_code == 201
    assert cashier.order(water).status_code == 201
    assert cashier.get(f"/orders/{bill['id']}").json["due"] == bill["due"]
    held("ROLLBACK; BEGIN")
    assert cashier.pay(bill, key=key).status_code == 201


HELD = {
    "a dish": "SELECT 1 FROM products WHERE id = {product} FOR UPDATE",
    "a table": "SELECT 1 FROM restaurant_tables WHERE id = {table} FOR UPDATE",
    "a waiter": "SELECT 1 FROM users WHERE username = 'waiter' FOR UPDATE",
}


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(statement, id=name, marks=[] if name == "a dish" else [pytest.mark.deep])
        for name, statement in HELD.items()
    ],
)
def test_who_waits_for_a_row_of_the_menu_waits_without_a_number(
    cashier, sign_in, water, held, statement, cursor
):
    """The others go on selling, and their numbers have no gap."""
    waiter, key = sign_in("waiter"), str(uuid4())
    names = cashier.menu()
    dish = {"product_id": names["Es Teh Manis"]["id"], "quantity": 1}
    before = cashier.order(water).json["number"]
    held(statement.format(product=dish["product_id"], table=3))

    def wanting():
        return waiter.order(dish, key=key, type="dine_in", table_id=3)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wanting)
        wait_until(lambda: blocked(cursor))
        selling = [cashier.order(water) for _ in range(3)]
        assert not waiting.done()
        assert [answer.json["number"] for answer in selling] == [before + n for n in (1, 2, 3)]
        assert refused_for_now(waiting.result())
    held("ROLLBACK; BEGIN")
    assert wanting().json["number"] == before + 4


def test_a_held_account_is_503_for_its_payments_alone(cashier, sign_in, water, held, cursor):
    """Also for who waits in the middle of a payment: the receipt's number comes last."""
    manager, bills = sign_in("manager"), [cashier.order(water).json for _ in range(3)]
    before = cashier.pay(bills[0]).json["receipt_number"]
    held("SELECT 1 FROM users WHERE username = 'manager' FOR UPDATE")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(manager.pay, bills[1])
        wait_until(lambda: blocked(cursor))
        assert cashier.pay(bills[2]).json["receipt_number"] == before + 1
        assert refused_for_now(waiting.result())


def blocked(cursor):
    cursor.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return cursor.fetchone()[0]


@pytest.mark.deep
def test_a_crowd_at_a_held_order_leaves_connections_to_the_others(serve, database, held):
    server = serve(database)
    login = {"username": "cashier", "password": "cashier-demo"}
    token = requests.post(f"{server.url}/api/v1/auth/login", json=login, timeout=60).json()
    menu = requests.get(f"{server.url}/api/v1/public/menu", timeout=60).json()
    line = {"product_id": menu["categories"][-1]["products"][0]["id"], "quantity": 1}

    def post(path, body):
        headers = {
            "Authorization": f"Bearer {token['access_token']}",
            "Idempotency-Key": str(uuid4()),
        }
        address = f"{server.url}/api/v1{path}"
        return requests.post(address, json=body, headers=headers, timeout=30)

    def order():
        return post("/orders", {"type": "takeaway", "lines": [line]})

    bill = order().json()
    held(f"SELECT 1 FROM orders WHERE id = {bill['id']} FOR UPDATE")
    payment = {"method": "qris", "amount": bill["due"]}
    with ThreadPoolExecutor(PAYERS) as pool:
        crowd = [
            pool.submit(post, f"/orders/{bill['id']}/payments", payment) for _ in range(PAYERS)
        ]
        others = [order() for _ in range(5)]
        assert [answer.status_code for answer in others] == [201] * 5
        assert requests.get(f"{server.url}/readyz", timeout=60).status_code == 200
        for answer in crowd:
            refused = answer.result()
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (503, True)
