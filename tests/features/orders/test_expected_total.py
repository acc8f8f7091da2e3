"""The price that was told is the price that is charged."""

from uuid import uuid4

import pytest


@pytest.fixture
def dearer(cashier, water, cursor):
    """Raises the price of the water by Rp 1.000; returns the quote from before."""
    quote = cashier.post("/orders/quote", {"type": "takeaway", "lines": [water]}).json
    change = "UPDATE products SET price = price + %s WHERE id = %s"
    cursor.execute(change, [1000, water["product_id"]])
    yield quote
    cursor.execute(change, [-1000, water["product_id"]])


def orders_of(cashier):
    return len(cashier.get("/orders?limit=200").json["orders"])


def test_an_order_at_another_price_is_409_with_the_new_quote_and_its_key_stays_free(
    cashier, water, dearer
):
    key, before = str(uuid4()), orders_of(cashier)
    refused = cashier.order(water, key=key, expected_total=dearer["total"])
    assert refused.status_code == 409
    assert refused.content_type == "application/problem+json"
    now = refused.json["quote"]
    assert now["total"] > dearer["total"]
    assert now["lines"][0]["unit_price"] == dearer["lines"][0]["unit_price"] + 1000
    assert orders_of(cashier) == before
    accepted = cashier.order(water, key=key, expected_total=now["total"])
    assert (accepted.status_code, accepted.json["total"]) == (201, now["total"])


def test_without_the_field_the_price_of_the_moment_is_taken(cashier, water, dearer):
    order = cashier.order(water)
    assert order.status_code == 201
    assert order.json["total"] > dearer["total"]


def test_a_payment_of_another_total_is_409_with_the_quote_and_takes_nothing(cashier, water):
    order, key = cashier.order(water).json, str(uuid4())
    stale = order["total"] - 500
    refused = cashier.pay(order, "qris", key=key, expected_total=stale)
    assert refused.status_code == 409
    assert refused.json["quote"]["total"] == order["total"]
    assert refused.json["quote"]["lines"][0]["name"] == order["lines"][0]["name"]
    assert cashier.get(f"/orders/{order['id']}").json["paid"] == 0
    taken = cashier.pay(order, "qris", key=key, expected_total=order["total"])
    assert taken.status_code == 201


def test_the_quote_of_another_total_has_no_line_that_was_voided_meanwhile(cashier, sign_in, water):
    order = cashier.order(water, {**water, "quantity": 3}).json
    sign_in("manager").void_line(order, 1)
    quote = cashier.pay(order, "qris", expected_total=order["total"]).json["quote"]
    assert [line["total"] for line in quote["lines"]] == [quote["subtotal"]]


def test_dine_in_needs_a_table_when_it_is_sent_and_not_when_it_is_quoted(cashier, water):
    assert cashier.post("/orders/quote", {"type": "dine_in", "lines": [water]}).status_code == 200
    refused = cashier.order(water, type="dine_in")
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "table_id"
    assert cashier.order(water, type="dine_in", table_id=1).status_code == 201


def test_cash_of_more_than_ten_times_the_due_is_asked_back(cashier, water):
    order = cashier.order(water).json
    due, key = order["cash_due"], str(uuid4())
    sums = {"amount": due, "tendered": due * 10 + 100}
    refused = cashier.pay(order, "cash", key=key, **sums)
    assert refused.status_code == 422
    assert refused.json["question"] == "confirm_tendered"
    assert refused.json["errors"][0]["field"] == "tendered"
    taken = cashier.pay(order, "cash", key=key, confirmed=True, **sums)
    assert taken.status_code == 201
    assert taken.json["change"] == due * 9 + 100


def test_cash_of_ten_times_the_due_is_no_question(cashier, water):
    order = cashier.order(water).json
    due = order["cash_due"]
    exact = cashier.pay(order, "cash", amount=due, tendered=order["due"] * 10 // 100 * 100)
    assert exact.status_code == 201
