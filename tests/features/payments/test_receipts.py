"""Receipts: the server's figures, and which of them is a copy."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from psycopg2 import errors


def printed(till, order):
    return till.post(f"/orders/{order['id']}/receipt/prints", {}, str(uuid4()))


@pytest.fixture
def paid(cashier, water):
    order = cashier.order(water).json
    cashier.pay(order, "cash", amount=order["cash_due"], tendered=100_000)
    return order


@pytest.mark.deep
def test_the_first_receipt_is_the_guests_and_each_later_one_a_copy(cashier, paid):
    assert [printed(cashier, paid).json["prints"] for _ in range(3)] == [1, 2, 3]


def test_a_receipt_has_the_bill_its_payments_the_change_and_the_house(cashier, paid):
    found = cashier.get(f"/orders/{paid['id']}/receipt").json
    assert found["order"] == cashier.get(f"/orders/{paid['id']}").json
    assert found["change"] == 100_000 - paid["cash_due"]
    assert [one["method"] for one in found["payments"]] == ["cash"]
    assert found["restaurant"]["tax_name"] == "PB1"
    assert (found["taken_by"], found["prints"]) == ("cashier", 0)


def test_a_print_that_is_resent_counts_once(cashier, paid):
    key, path = str(uuid4()), f"/orders/{paid['id']}/receipt/prints"
    assert [cashier.post(path, {}, key).json["prints"] for _ in range(2)] == [1, 1]


def test_of_receipts_that_are_printed_at_once_each_is_counted(cashier, paid):
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: printed(cashier, paid), range(8)))
    assert sorted(answer.json.get("prints", 0) for answer in answers) == [*range(1, 9)]


def test_an_unpaid_bill_has_no_receipt_and_a_waiter_prints_none(cashier, sign_in, water):
    order = cashier.order(water).json
    refused = printed(cashier, order)
    assert (refused.status_code, refused.json["code"]) == (409, "order_not_paid")
    assert printed(sign_in("waiter"), order).status_code == 403
    assert sign_in("waiter").get(f"/orders/{order['id']}/receipt").json["payments"] == []


def test_a_bill_that_was_paid_anew_has_a_new_receipt(cashier, sign_in, paid):
    printed(cashier, paid)
    payments = cashier.get(f"/orders/{paid['id']}/payments").json["payments"]
    sign_in("manager").undo(payments[0])
    cashier.pay(cashier.get(f"/orders/{paid['id']}").json)
    assert printed(cashier, paid).json["prints"] == 1


def test_prints_are_only_ever_added(cashier, paid, cursor):
    printed(cashier, paid)
    for statement in ("UPDATE receipt_prints SET copy = 0", "DELETE FROM receipt_prints"):
        with pytest.raises(errors.CheckViolation):
            cursor.execute(statement)
