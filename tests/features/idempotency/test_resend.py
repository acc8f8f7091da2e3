"""A request that waits on a device is known again: by its key, and by what was sent."""

import hashlib
import json
from uuid import uuid4

import pytest

from posapp.features.orders.schemas import NewOrder


def body(water, **changes):
    return {"type": "takeaway", "lines": [water], **changes}


def send(till, content, key, path="/orders"):
    return till.post(path, content, key)


def test_the_order_of_keys_and_the_white_space_of_the_body_do_not_matter(cashier, water):
    key = str(uuid4())
    first = send(cashier, body(water), key)
    text = json.dumps(dict(reversed(body(water).items())), indent=3)
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    again = cashier.request("POST", "/orders", data=text, headers=headers)
    assert again.status_code == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json == first.json


def test_a_body_that_the_first_version_accepted_is_known_by_this_one(cashier, water, cursor):
    """Its fingerprint was made of the model's fields of then, in their order."""
    key = str(uuid4())
    order = send(cashier, body(water), key).json
    model = NewOrder.model_validate(body(water)).model_dump(exclude=set(NewOrder.LATER_FIELDS))
    first = json.dumps(model, separators=(",", ":"), ensure_ascii=False)
    assert list(model) == ["type", "table_id", "lines"]
    fingerprint = hashlib.sha256(f"POST /orders\n{first}".encode()).digest()
    cursor.execute(
        "UPDATE idempotency_keys SET fingerprint = %s WHERE key = %s", [fingerprint, key]
    )
    again = send(cashier, body(water), key)
    assert (again.status_code, again.json) == (201, order)
    other = send(cashier, body(water, lines=[{**water, "quantity": 2}]), key)
    assert other.status_code == 422


def test_a_key_belongs_to_one_act(cashier, water):
    key = str(uuid4())
    order = send(cashier, body(water), key).json
    payment = {"method": "qris", "amount": order["due"]}
    answer = send(cashier, payment, key, f"/orders/{order['id']}/payments")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    "key", ["", "k" * 15, "k" * 129, "schlüssel-0123456789", "with space 012345"]
)
def test_a_key_of_another_form_is_refused_by_name(cashier, water, key):
    answer = cashier.request("POST", "/orders", json=body(water), headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["k" * 16, "k" * 128])
def test_a_key_has_16_to_128_characters(cashier, water, key):
    assert send(cashier, body(water), key).status_code == 201


def test_a_key_that_comes_twice_is_400(cashier, water):
    twice = f"{uuid4()},{uuid4()}"
    answer = cashier.request(
        "POST", "/orders", json=body(water), headers={"Idempotency-Key": twice}
    )
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
