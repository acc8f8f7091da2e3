"""No request keeps a worker's loop from the others: long computations run beside it."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

WATCHED = Path(__file__).parent / "watched.conf.py"
pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    return tmp_path_factory.mktemp("loop") / "blocks"


@pytest.fixture(scope="module")
def server(serve, database, blocks):
    return serve(database, config=WATCHED, LOOP_BLOCKS=str(blocks), WEB_CONCURRENCY="1")


@pytest.fixture(scope="module")
def admin(server):
    body = {"username": "admin", "password": "admin-demo"}
    answer = requests.post(f"{server.url}/api/v1/auth/login", json=body, timeout=30)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.mark.deep
def test_the_watchdog_sees_a_block(tmp_path, serve, database):
    """An expression in the application's place: no route of ours does this."""
    seen = tmp_path / "blocks"
    watched = tmp_path / "blocked.conf.py"
    watched.write_text(
        f"import runpy\nglobals().update(runpy.run_path({str(WATCHED)!r}))\n"
        "def pre_request(worker, req):\n    sum(range(20_000_000))\n"
    )
    blocked = serve(database, config=watched, LOOP_BLOCKS=str(seen), WEB_CONCURRENCY="1")
    requests.get(f"{blocked.url}/api/v1/public/menu", timeout=30)
    assert " s computed, " in seen.read_text()


ALONE = """
from gevent import monkey
monkey.patch_all()
import gevent
from posapp.features.auth import passwords
hashed = passwords.hash_password("kenangan-2026")
for work in (
    lambda: passwords.hash_password("kenangan-2026"),
    lambda: passwords.verify_password("kenangan-2026", hashed),
    lambda: passwords.verify_password("kenangan-2026", None),
    lambda: passwords.is_common("kenangan-2026"),
):
    other = gevent.spawn(lambda: None)
    work()
    assert other.dead, "nobody else had a turn meanwhile"
try:
    passwords.compute(int, "a secret that is no number")
except ValueError:
    print("all of them")
"""


@pytest.mark.deep
def test_a_password_is_computed_while_others_have_their_turn():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("all of them\n", "")


@pytest.mark.deep
def test_thirty_sign_ins_at_once_block_nobody(server, blocks, admin):
    names = ["admin", "manager", "cashier", "waiter", "kitchen"] * 6

    def sign_in(name):
        body = {"username": name, "password": f"{name}-demo"}
        return requests.post(f"{server.url}/api/v1/auth/login", json=body, timeout=60).status_code

    with ThreadPoolExecutor(len(names)) as pool:
        assert set(pool.map(sign_in, names)) <= {200, 429}
    assert blocks.read_text() == ""


@pytest.mark.deep
def test_a_new_account_and_another_password_block_nobody(server, blocks, admin):
    users = f"{server.url}/api/v1/admin/users"
    new = {"username": "loop", "name": "Loop", "role": "waiter", "password": "kata-panjang-11"}
    made = requests.post(users, json=new, headers=admin, timeout=60)
    assert made.status_code == 201, made.text
    changed = requests.post(
        f"{users}/{made.json()['id']}/password",
        json={"password": "kata-panjang-12"},
        headers=admin,
        timeout=60,
    )
    assert changed.status_code < 300
    assert blocks.read_text() == ""


@pytest.mark.deep
def test_no_route_that_reads_blocks_anybody(server, blocks, admin):
    document = requests.get(f"{server.url}/api/v1/openapi.json", timeout=60).json()
    paths = [path for path, acts in document["paths"].items() if "get" in acts]
    assert len(paths) > 8
    for path in paths:
        address = f"{server.url}{path.replace('{', '').replace('}', '')}"
        for _ in range(2):
            requests.get(address, headers=admin, timeout=60)
    assert blocks.read_text() == ""


@pytest.mark.deep
def test_orders_and_payments_block_nobody(server, blocks, admin):
    menu = requests.get(f"{server.url}/api/v1/public/menu", timeout=60).json()
    products = [product for category in menu["categories"] for product in category["products"]]
    (water,) = [product["id"] for product in products if product["name"] == "Air Mineral"]
    body = {"type": "takeaway", "lines": [{"product_id": water, "quantity": 1}]}

    def sell(number):
        headers = {**admin, "Idempotency-Key": f"loop-test-of-till-{number:04}"}
        order = requests.post(f"{server.url}/api/v1/orders", json=body, headers=headers, timeout=60)
        assert order.status_code == 201, order.text
        bill = order.json()
        paid = requests.post(
            f"{server.url}/api/v1/orders/{bill['id']}/payments",
            json={"method": "qris", "amount": bill["due"]},
            headers={**headers, "Idempotency-Key": f"loop-test-payment-{number:04}"},
            timeout=60,
        )
        assert paid.status_code == 201, paid.text

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sell, range(40)))
    assert blocks.read_text() == ""
