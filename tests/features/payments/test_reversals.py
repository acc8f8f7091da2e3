"""Undoing a wrong payment of the same business day, and reading an order's payments."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posapp.features.orders.totals import round_to_cash


@pytest.fixture(scope="module")
def manager(sign_in):
    return sign_in("manager")


def reread(till, order):
    return till.get(f"/orders/{order['id']}").json


def payments(till, order):
    return till.get(f"/orders/{order['id']}/payments").json["payments"]


@pytest.mark.parametrize("method", ["cash", "qris", "card"])
def test_a_payment_undone_leaves_the_bill_as_it_was_before(manager, cashier, water, method):
    order = cashier.order(water).json
    amount = order["cash_due"] if method == "cash" else order["due"]
    paid = cashier.pay(order, method, amount=amount).json
    assert reread(cashier, order)["status"] == "paid"
    undone = manager.undo(paid)
    assert undone.status_code == 201, undone.text
    assert undone.json["reversal"]["reason"] == "salah tekan"
    assert reread(cashier, order) == order
    assert cashier.pay(order, "card").status_code == 201
    assert reread(cashier, order)["status"] == "paid"


def test_a_bill_takes_several_tenders_and_the_wrong_one_is_undone_before_it_is_settled(
    manager, cashier, water
):
    order = cashier.order({**water, "quantity": 5}).json
    assert order["due"] == 69_300
    cashier.pay(order, "qris", amount=20_000, reference="QR-1")
    wrong = cashier.pay(order, "card", amount=30_000, reference="EDC-9").json
    assert reread(cashier, order)["due"] == 19_300
    assert manager.undo(wrong).status_code == 201
    left = reread(cashier, order)
    assert (left["status"], left["paid"], left["due"]) == ("open", 20_000, 49_300)
    cashier.pay(order, "card", amount=30_003, reference="EDC-10")
    left = reread(cashier, order)
    assert (left["due"], left["cash_due"]) == (19_297, 19_300)
    last = cashier.pay(order, "cash", amount=left["cash_due"], tendered=50_000).json
    assert last["change"] == 30_700
    done = reread(cashier, order)
    assert (done["status"], done["rounding"], done["paid"]) == ("paid", 3, 69_303)
    found = payments(cashier, order)
    assert [(one["method"], one["amount"], one["reference"]) for one in found] == [
        ("qris", 20_000, "QR-1"),
        ("card", 30_000, "EDC-9"),
        ("card", 30_003, "EDC-10"),
        ("cash", 19_300, None),
    ]
    assert [one["reversal"] is not None for one in found] == [False, True, False, False]


def test_payments_say_how_when_and_by_whom(manager, cashier, water):
    order = cashier.order(water).json
    taken = cashier.pay(order, "card", amount=5_000, reference=" 123 456 ").json
    assert taken.pop("rest") == order["due"] - 5_000
    manager.undo(taken, reason="kartu tertukar")
    (one,) = payments(cashier, order)
    assert one | {"at": None, "reversal": None} == taken | {
        "business_date": order["business_date"],
        "taken_by": "cashier",
        "at": None,
        "reversal": None,
    }
    assert one["reference"] == "123 456"
    assert datetime.fromisoformat(one["at"]).tzinfo is not None
    reversal = one["reversal"]
    assert (reversal["reason"], reversal["reversed_by"], reversal["approved_by"]) == (
        "kartu tertukar",
        "manager",
        "manager",
    )


def test_the_payments_of_an_order_come_in_pages(cashier, water):
    order = cashier.order(water).json
    for _ in range(5):
        cashier.pay(order, amount=10)
    whole = payments(cashier, order)
    path = f"/orders/{order['id']}/payments"
    first = cashier.get(f"{path}?limit=3").json
    rest = cashier.get(f"{path}?limit=3&cursor={first['next']}").json
    assert first["payments"] + rest["payments"] == whole
    assert rest["next"] is None


def test_a_reference_is_for_cards_and_qris(cashier, water):
    order = cashier.order(water).json
    refused = cashier.pay(order, "cash", amount=order["cash_due"], reference="123")
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "reference"
    for odd in ("", "x" * 65, "a\x00b", 7):
        assert cashier.pay(order, reference=odd).status_code == 422


def test_a_payment_is_undone_once(manager, cashier, water):
    paid = cashier.pay(cashier.order(water).json).json
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: manager.undo(paid), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert "undone already" in manager.undo(paid).json["detail"]


def test_the_same_key_undoes_once_and_is_answered_the_same(manager, cashier, water):
    paid, key = cashier.pay(cashier.order(water).json).json, str(uuid4())
    first, second = manager.undo(paid, key=key), manager.undo(paid, key=key)
    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"


def test_a_payment_of_another_business_day_is_not_undone(manager, cashier, water, cursor):
    paid = cashier.pay(cashier.order(water).json).json
    cursor.execute("ALTER TABLE payments DISABLE TRIGGER pos_added_only")
    cursor.execute(
        "UPDATE payments SET business_date = business_date - 1 WHERE id = %s", [paid["id"]]
    )
    cursor.execute("ALTER TABLE payments ENABLE TRIGGER pos_added_only")
    refused = manager.undo(paid)
    assert refused.status_code == 409
    assert "same business day" in refused.json["detail"]


def test_a_payment_that_is_not_there_or_of_another_order_is_404(manager, cashier, water):
    paid = cashier.pay(cashier.order(water).json).json
    other = cashier.order(water).json
    assert manager.undo({**paid, "order_id": other["id"]}).status_code == 404
    assert manager.undo({**paid, "id": 999_999}).status_code == 404
    assert cashier.get("/orders/999999/payments").status_code == 404


def test_receipt_numbers_go_on_after_a_reversal(manager, cashier, water):
    order = cashier.order(water).json
    first = cashier.pay(order).json
    manager.undo(first)
    assert cashier.pay(order).json["receipt_number"] == first["receipt_number"] + 1


@pytest.mark.parametrize("rest", [1, 30, 49, 50, 99, 100, 130])
@pytest.mark.parametrize("method", ["card", "qris"])
def test_after_a_reversal_any_rest_is_settled_by_cash_due_as_before(
    manager, cashier, water, method, rest
):
    order = cashier.order(water).json
    cashier.pay(order, method, amount=order["due"] - rest)
    left = reread(cashier, order)
    settled = cashier.pay(left, "cash", amount=left["cash_due"]).json
    assert reread(cashier, order)["status"] == "paid"
    assert manager.undo(settled).status_code == 201
    assert reread(cashier, order) == left
    assert cashier.pay(left, "cash", amount=left["cash_due"]).status_code == 201
    assert reread(cashier, order)["rounding"] == left["cash_due"] - rest


@given(st.data())
@settings(max_examples=12, deadline=None)
def test_any_parts_and_reversals_leave_a_bill_that_cash_due_closes(manager, cashier, water, data):
    """And its sums hold: paid is what was taken and not undone, rounding what cash moved."""
    order = cashier.order({**water, "quantity": 2}, water).json
    voided = False
    for _ in range(data.draw(st.integers(1, 6), label="acts")):
        now = reread(cashier, order)
        act = data.draw(st.sampled_from(["part", "settle", "undo", "void line"]), label="act")
        if act == "part" and now["due"] > 1:
            method = data.draw(st.sampled_from(["card", "qris"]))
            amount = data.draw(st.integers(max(1, now["due"] - 200), now["due"]))
            assert cashier.pay(now, method, amount=amount).status_code == 201
        elif act == "settle" and now["status"] == "open":
            assert cashier.pay(now, "cash", amount=now["cash_due"]).status_code == 201
        elif act == "undo":
            taken = [one for one in payments(cashier, order) if one["reversal"] is None]
            if taken:
                assert manager.undo(data.draw(st.sampled_from(taken))).status_code == 201
        elif act == "void line" and not voided and now["status"] == "open":
            voided = manager.void_line(order, 1).status_code == 201
        check_sums(cashier, order)
    last = reread(cashier, order)
    if last["status"] == "open":
        assert last["cash_due"] == round_to_cash(last["due"], 100)
        assert cashier.pay(last, "cash", amount=last["cash_due"]).status_code == 201
    check_sums(cashier, order)
    assert reread(cashier, order)["status"] == "paid"


def check_sums(till, order):
    now = reread(till, order)
    taken = [one for one in payments(till, order) if one["reversal"] is None]
    assert now["paid"] == sum(one["amount"] for one in taken) <= now["total"]
    parts = ("subtotal", "service_charge", "tax", "rounding")
    assert now["total"] == sum(now[part] for part in parts)
    assert (now["status"] == "paid") is (now["due"] == 0 and bool(taken))


def test_a_bill_knows_the_day_on_which_it_was_settled_until_it_is_open_again(
    manager, cashier, water, cursor
):
    def settled_on():
        cursor.execute("SELECT settled_on FROM orders WHERE id = %s", [order["id"]])
        return cursor.fetchone()[0]

    order = cashier.order(water).json
    cashier.pay(order, amount=10)
    assert settled_on() is None
    cashier.pay(order, amount=order["due"] - 10)
    (_, last) = payments(cashier, order)
    assert settled_on().isoformat() == last["business_date"]
    manager.undo(last)
    assert settled_on() is None
