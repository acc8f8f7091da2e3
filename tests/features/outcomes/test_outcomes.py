"""What became of an act whose answer a till never got, and giving it up for good."""

from urllib.parse import quote
from uuid import uuid4

import pytest

UNKNOWN = {"state": "unknown", "at": None, "answer": None}


@pytest.fixture
def manager(sign_in):
    return sign_in("manager")


def give_up(till, key, **fields):
    body = {"reason": "tamu sudah pergi", **fields}
    return till.post(f"/outcomes/{key}/give-up", body, str(uuid4()))


def test_the_outcome_of_a_payment_is_the_answer_that_was_lost(cashier, water):
    order, key = cashier.order(water).json, str(uuid4())
    assert cashier.get(f"/outcomes/{key}").json == UNKNOWN
    answer = cashier.pay(order, "cash", key, amount=order["cash_due"], tendered=100_000).json
    found = cashier.get(f"/outcomes/{key}").json
    assert (found["state"], found["answer"]) == ("done", answer)
    assert found["answer"]["rest"] == 0


@pytest.mark.parametrize(
    "key", ["ab+cd/efgh==/ijklmn", "//of-another-program", "a?b#c%2Fd&e=fghij;"]
)
def test_every_key_that_an_act_may_have_can_be_asked_for_and_given_up(cashier, manager, water, key):
    order = cashier.order(water, key=key).json
    path = f"/outcomes/{quote(key, safe='')}"
    assert cashier.get(path).json["answer"]["id"] == order["id"]
    given = manager.post(f"{path}/give-up", {"reason": "sudah ditulis ulang"}, str(uuid4()))
    assert given.json["answer"]["id"] == order["id"]


def test_what_a_manager_gave_up_is_refused_when_it_arrives_late(cashier, manager, water):
    order = cashier.order(water).json
    keys = str(uuid4()), str(uuid4())
    assert [give_up(manager, key).json["state"] for key in keys] == ["given_up"] * 2
    late = cashier.pay(order, key=keys[0]), cashier.order(water, key=keys[1])
    assert [(one.status_code, one.json["code"]) for one in late] == [(409, "given_up")] * 2
    assert cashier.get(f"/orders/{order['id']}").json["paid"] == 0


def test_what_was_done_cannot_be_given_up_and_says_its_answer(cashier, manager, water):
    key = str(uuid4())
    order = cashier.order(water, key=key).json
    answer = give_up(manager, key)
    assert (answer.status_code, answer.json["state"]) == (201, "done")
    assert answer.json["answer"]["number"] == order["number"]
    assert cashier.order(water, key=key).json["id"] == order["id"]


def test_giving_up_needs_a_manager_and_leaves_an_audit_row(cashier, cursor):
    key = str(uuid4())
    refused = give_up(cashier, key)
    assert (refused.status_code, refused.json["question"]) == (403, "approval")
    approval = {"username": "manager", "password": "manager-demo"}
    assert give_up(cashier, key, approval=approval).json["state"] == "given_up"
    cursor.execute(
        "SELECT details ->> 'reason' FROM audit_log WHERE action = 'act.given_up'"
        " AND details ->> 'idempotency_key' = %s",
        [key],
    )
    assert cursor.fetchall() == [("tamu sudah pergi",)]
