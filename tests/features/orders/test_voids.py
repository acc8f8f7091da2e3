"""Cancelling an order or a line: who, why and by whose word; number and audit stay."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from posapp.features.orders.totals import compute_totals
from posapp.features.restaurant.service import RestaurantSettings


@pytest.fixture(scope="module")
def manager(sign_in):
    return sign_in("manager")


@pytest.fixture(scope="module")
def waiter(sign_in):
    return sign_in("waiter")


@pytest.fixture(scope="module")
def tea(cashier):
    return {"product_id": cashier.menu()["Teh Poci"]["id"], "quantity": 3}


def open_orders(till, table):
    floors = till.get("/tables").json["floors"]
    return {one["id"]: one["open_orders"] for f in floors for one in f["tables"]}[table]


def reread(till, order):
    return till.get(f"/orders/{order['id']}").json


def test_a_voided_order_keeps_its_number_and_frees_its_table(manager, cashier, water):
    order = cashier.order(water, type="dine_in", table_id=3).json
    voided = manager.void(order, reason="tamu pergi")
    assert voided.status_code == 201, voided.text
    assert (voided.json["status"], voided.json["number"]) == ("voided", order["number"])
    assert (voided.json["due"], voided.json["cash_due"]) == (0, 0)
    assert voided.json["total"] == order["total"]
    assert voided.json["lines"] == order["lines"]
    (void,) = voided.json["voids"]
    assert (void["line_id"], void["amount"], void["reason"]) == (
        None,
        order["total"],
        "tamu pergi",
    )
    assert (void["voided_by"], void["approved_by"]) == ("manager", "manager")
    assert reread(cashier, order) == voided.json
    assert order["id"] not in open_orders(cashier, 3)
    assert cashier.order(water).json["number"] == order["number"] + 1
    for listed in ("open", "voided"):
        ids = [one["id"] for one in cashier.get(f"/orders?status={listed}").json["orders"]]
        assert (order["id"] in ids) is (listed == "voided")


def test_a_voided_order_is_paid_voided_and_changed_no_more(manager, cashier, water, tea):
    order = cashier.order(water, tea).json
    manager.void(order)
    for refused in (
        cashier.pay(order),
        manager.void(order),
        manager.void_line(order, 0),
    ):
        assert refused.status_code == 409
        assert refused.json["detail"] == f"Order {order['number']} is voided already."


@pytest.mark.parametrize("part", [1_000, 13_860])
def test_what_is_paid_in_part_or_whole_is_not_voided(manager, cashier, water, part):
    order = cashier.order(water).json
    cashier.pay(order, amount=part)
    assert manager.void(order).status_code == 409
    assert reread(cashier, order)["voids"] == []


def test_a_voided_line_leaves_the_bill_of_the_others(manager, cashier, water, tea):
    order = cashier.order(water, tea, water).json
    answer = manager.void_line(order, 1, reason="habis")
    assert answer.status_code == 201, answer.text
    left = answer.json
    totals = compute_totals((12_000, 12_000), 0, RestaurantSettings())
    assert (left["subtotal"], left["tax"], left["total"]) == (24_000, totals.tax, totals.total)
    assert left["due"] == left["total"]
    assert left["lines"] == order["lines"]
    (void,) = left["voids"]
    assert void["line_id"] == order["lines"][1]["id"]
    assert void["amount"] == order["total"] - left["total"]
    assert reread(cashier, order) == left
    again = manager.void_line(order, 1)
    assert again.status_code == 409
    assert "is voided already" in again.json["detail"]


def test_lines_are_voided_one_by_one_down_to_the_last_which_is_the_order(manager, cashier, water):
    order = cashier.order(*[{**water, "quantity": n} for n in (1, 2, 3)]).json
    for line in (2, 0):
        assert manager.void_line(order, line).status_code == 201
    last = manager.void_line(order, 1)
    assert last.status_code == 409
    assert "void the order" in last.json["detail"]
    assert manager.void(order).json["status"] == "voided"


def test_a_line_goes_only_while_the_bill_stays_above_what_was_paid(manager, cashier, water):
    order = cashier.order(water, {**water, "quantity": 2}).json
    cashier.pay(order, amount=13_861)
    refused = manager.void_line(order, 1)
    assert refused.status_code == 409
    assert "undo a payment first" in refused.json["detail"]
    assert reread(cashier, order)["total"] == order["total"]
    assert manager.void_line(order, 0).status_code == 201


def test_a_bill_that_is_paid_by_what_is_left_of_it_is_closed(manager, cashier, water):
    order = cashier.order(water, {**water, "quantity": 2}).json
    cashier.pay(order, amount=13_860)
    left = manager.void_line(order, 1).json
    assert (left["status"], left["due"], left["paid"]) == ("paid", 0, 13_860)


def test_what_is_free_of_charge_is_voided_and_a_bill_of_nothing_left_stays_open(
    manager, cashier, water, tea, cursor
):
    cursor.execute("UPDATE products SET price = 0 WHERE id = %s", [tea["product_id"]])
    try:
        order = cashier.order(water, tea).json
    finally:
        cursor.execute("UPDATE products SET price = 22000 WHERE id = %s", [tea["product_id"]])
    left = manager.void_line(order, 0).json
    assert (left["status"], left["total"], left["due"]) == ("open", 0, 0)
    assert cashier.pay(left, "cash", amount=0).status_code == 201


@pytest.mark.parametrize(
    ("path", "status"),
    [("/orders/999999/void", 404), ("/orders/{id}/lines/999999/void", 404)],
)
def test_what_is_not_there_is_404(manager, cashier, water, path, status):
    order = cashier.order(water).json
    answer = manager.post(path.format(id=order["id"]), {"reason": "salah"}, str(uuid4()))
    assert answer.status_code == status


def test_a_line_of_another_order_is_404(manager, cashier, water):
    one, other = cashier.order(water, water).json, cashier.order(water, water).json
    answer = manager.void_line({"id": one["id"], "lines": other["lines"]}, 0)
    assert answer.status_code == 404


@pytest.mark.parametrize("reason", ["", "  ", "ab", "x" * 201, "a\nb", None, 7])
def test_a_void_says_why(manager, cashier, water, reason):
    refused = manager.void(cashier.order(water).json, reason=reason)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "reason"


def test_one_key_from_eight_threads_voids_once_and_answers_all(manager, cashier, water, cursor):
    order, key = cashier.order(water).json, str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: manager.void(order, key=key), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    cursor.execute("SELECT count(*) FROM voids WHERE order_id = %s", [order["id"]])
    assert cursor.fetchone() == (1,)


def test_of_a_void_and_a_payment_at_once_one_wins(manager, cashier, water):
    for _ in range(8):
        order = cashier.order(water).json
        with ThreadPoolExecutor(2) as pool:
            void, payment = pool.map(
                lambda act, order: act(order), (manager.void, cashier.pay), (order, order)
            )
        assert sorted((void.status_code, payment.status_code)) == [201, 409]
        after = reread(cashier, order)
        assert after["status"] == ("voided" if void.status_code == 201 else "paid")


def test_the_audit_log_says_who_voided_what_why_and_by_whose_word(manager, cashier, water, cursor):
    order = cashier.order(water, water).json
    line = manager.void_line(order, 0, reason="jatuh")
    whole = manager.void(order, reason="pulang")
    cursor.execute(
        "SELECT action, details ->> 'reason', request_id, username FROM audit_log"
        " JOIN users ON users.id = (details ->> 'approved_by')::bigint"
        " WHERE entity = 'order' AND entity_id = %s AND action LIKE '%%voided'"
        " ORDER BY audit_log.id",
        [order["id"]],
    )
    assert cursor.fetchall() == [
        ("line.voided", "jatuh", line.headers["X-Request-ID"], "manager"),
        ("order.voided", "pulang", whole.headers["X-Request-ID"], "manager"),
    ]


def test_a_reason_of_blanks_alone_is_none(sign_in, water):
    manager = sign_in("manager")
    order = manager.order(water).json
    for reason in ("   ", " a ", "\u00a0\u00a0\u00a0"):
        refused = manager.void(order, reason=reason)
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "reason")
