"""Payments through the API: every bill that begins can be closed."""

import pytest


@pytest.fixture(scope="module")
def bill(cashier, water):
    """Orders a water and returns the order."""

    def take():
        return cashier.order(water).json

    return take


@pytest.mark.parametrize("rest", [1, 30, 49, 50, 99, 100, 130])
@pytest.mark.parametrize("method", ["card", "qris"])
def test_any_rest_after_a_part_is_settled_by_cash_due(cashier, bill, rest, method):
    order = bill()
    assert cashier.pay(order, method, amount=order["due"] - rest).status_code == 201
    left = cashier.get(f"/orders/{order['id']}").json
    assert left["due"] == rest
    last = cashier.pay(left, "cash", amount=left["cash_due"])
    assert last.status_code == 201, last.text
    closed = cashier.get(f"/orders/{order['id']}").json
    assert (closed["status"], closed["due"]) == ("paid", 0)
    assert closed["total"] == closed["paid"]
    assert closed["rounding"] == left["cash_due"] - rest


def test_a_product_free_of_charge_makes_a_bill_that_is_closed_by_nothing(cashier, water, cursor):
    price = cashier.menu()["Air Mineral"]["price"]
    cursor.execute("UPDATE products SET price = 0 WHERE id = %s", [water["product_id"]])
    try:
        order = cashier.order(water).json
    finally:
        cursor.execute("UPDATE products SET price = %s WHERE id = %s", [price, water["product_id"]])
    assert (order["total"], order["cash_due"], order["status"]) == (0, 0, "open")
    assert cashier.pay(order, "qris", amount=0).status_code == 422
    assert cashier.pay(order, "cash", amount=0).status_code == 201
    assert cashier.get(f"/orders/{order['id']}").json["status"] == "paid"
    assert cashier.pay(order, "cash", amount=0).status_code == 409


def test_a_part_in_cash_is_coins_that_exist(cashier, bill):
    order = bill()
    refused = cashier.pay(order, "cash", amount=1_050)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "amount"
    assert cashier.pay(order, "cash", amount=1_000).status_code == 201


def test_cash_beyond_all_change_is_refused_also_when_confirmed(cashier, water):
    order = cashier.order(water).json
    cash = {"amount": order["cash_due"], "tendered": 999_999_900, "confirmed": True}
    refused = cashier.pay(order, "cash", **cash)
    assert (refused.status_code, refused.json["code"]) == (422, "tendered_impossible")
    assert refused.json["errors"][0]["field"] == "tendered"
    assert cashier.get(f"/orders/{order['id']}").json["paid"] == 0


def test_a_payment_says_what_is_left(cashier, water):
    order = cashier.order({**water, "quantity": 3}).json
    first = cashier.pay(order, amount=10_000).json
    assert first["rest"] == order["due"] - 10_000
    assert cashier.pay(cashier.get(f"/orders/{order['id']}").json).json["rest"] == 0
