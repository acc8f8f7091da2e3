"""Orders and payments through the API, on a real database."""

from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from uuid import uuid4

import pytest

STEAK = "Sirloin Lokal"


def steak(till, **changes):
    product = till.menu()[STEAK]
    doneness, side, sauce, _ = product["modifier_groups"]
    chosen = [group["modifiers"][0]["id"] for group in (doneness, side, sauce)]
    return {
        "product_id": product["id"],
        "variant_id": product["variants"][1]["id"],
        "modifier_ids": [*chosen, side["modifiers"][4]["id"]],
        "quantity": 2,
        "note": "tanpa garam",
        **changes,
    }


def test_an_order_has_the_names_prices_and_sums_of_its_moment(cashier):
    answer = cashier.order(steak(cashier), type="dine_in", table_id=1)
    assert answer.status_code == 201, answer.text
    order = answer.json
    (line,) = order["lines"]
    assert line["name"] == "Sirloin Lokal (200 g)"
    assert (line["unit_price"], line["quantity"], line["total"]) == (115_000, 2, 240_000)
    assert sum(modifier["price"] for modifier in line["modifiers"]) == 5_000
    assert line["note"] == "tanpa garam"
    assert {
        key: order[key] for key in ("subtotal", "discount", "service_charge", "tax", "rounding")
    } == {
        "subtotal": 240_000,
        "discount": 0,
        "service_charge": 12_000,
        "tax": 25_200,
        "rounding": 0,
    }
    assert (order["total"], order["paid"], order["due"], order["status"]) == (
        277_200,
        0,
        277_200,
        "open",
    )
    assert cashier.get(f"/orders/{order['id']}").json == order


def test_a_quote_has_the_sums_of_the_order_and_stores_nothing(cashier, water):
    body = {"type": "takeaway", "lines": [water]}
    before = len(cashier.get("/orders").json["orders"])
    quote = cashier.post("/orders/quote", body).json
    assert len(cashier.get("/orders").json["orders"]) == before
    order = cashier.order(water).json
    assert all(order[key] == quote[key] for key in ("subtotal", "tax", "total"))


def test_the_same_key_and_body_is_the_same_order_once(cashier, water):
    key = str(uuid4())
    first, second = cashier.order(water, key=key), cashier.order(water, key=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"


def test_the_same_key_with_another_body_is_refused(cashier, water):
    key = str(uuid4())
    cashier.order(water, key=key)
    refused = cashier.order({**water, "quantity": 2}, key=key)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "Idempotency-Key"


def test_the_order_of_keys_and_spaces_in_the_body_does_not_make_it_another(cashier, water):
    key = str(uuid4())
    first = cashier.order(water, key=key).json
    line = f'{{"quantity": 1, "product_id": {water["product_id"]}}}'
    text = f'{{"lines": [ {line} ], "type":"takeaway"}}'
    again = cashier.request(
        "POST",
        "/orders",
        data=text,
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )
    assert again.json == first


def test_a_refused_order_leaves_its_key_free(cashier, water):
    key = str(uuid4())
    assert cashier.order({**water, "product_id": 10**9}, key=key).status_code == 422
    assert cashier.order(water, key=key).status_code == 201


def test_one_key_from_sixteen_threads_is_one_order(cashier, water):
    key = str(uuid4())
    before = {order["id"] for order in cashier.get("/orders").json["orders"]}
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda k: cashier.order(water, key=k), repeat(key, 16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    after = {order["id"] for order in cashier.get("/orders").json["orders"]}
    assert len(after - before) == 1


def test_numbers_of_orders_taken_at_once_have_neither_gaps_nor_twins(cashier, water):
    first = cashier.order(water).json["number"]
    with ThreadPoolExecutor(8) as pool:
        bad_product = {**water, "product_id": 10**9}
        lines = [water, bad_product] * 20
        answers = list(pool.map(cashier.order, lines))
    numbers = sorted(answer.json["number"] for answer in answers if answer.status_code == 201)
    assert numbers == list(range(first + 1, first + 21))


def test_cash_settles_a_bill_rounded_to_a_hundred_and_gives_change(cashier, water):
    order = cashier.order(water).json
    assert (order["due"], order["cash_due"]) == (13_860, 13_900)
    paid = cashier.pay(order, "cash", amount=order["cash_due"], tendered=50_000)
    assert paid.status_code == 201, paid.text
    assert (paid.json["amount"], paid.json["tendered"], paid.json["change"]) == (
        13_900,
        50_000,
        36_100,
    )
    settled = cashier.get(f"/orders/{order['id']}").json
    assert (settled["status"], settled["rounding"], settled["total"]) == ("paid", 40, 13_900)
    assert (settled["paid"], settled["due"]) == (13_900, 0)


def test_several_tenders_pay_one_bill(cashier, water):
    order = cashier.order({**water, "quantity": 10}).json
    assert cashier.pay(order, "qris", amount=50_000).json["change"] == 0
    assert cashier.pay(order, "card", amount=50_000).status_code == 201
    rest = cashier.get(f"/orders/{order['id']}").json
    assert (rest["status"], rest["due"]) == ("open", order["due"] - 100_000)
    cashier.pay(rest, "cash", amount=rest["cash_due"])
    assert cashier.get(f"/orders/{order['id']}").json["status"] == "paid"


def test_a_payment_under_one_key_is_taken_once(cashier, water):
    order, key = cashier.order(water).json, str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: cashier.pay(order, key=key), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1


def test_a_bill_is_never_paid_twice_by_eight_tills_at_once(cashier, water):
    order = cashier.order({**water, "quantity": 4}).json
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: cashier.pay(order), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert cashier.get(f"/orders/{order['id']}").json["paid"] == order["total"]


def test_no_more_than_the_bill_is_taken_but_in_cash(cashier, water):
    order = cashier.order(water).json
    for method in ("qris", "card"):
        refused = cashier.pay(order, method, amount=order["due"] + 1)
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "amount")
    assert cashier.pay(order, "cash", amount=20_000).json["change"] == 20_000 - 13_900


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"modifier_ids": []}, "lines.0.modifier_ids"),
        ({"variant_id": 10**6}, "lines.0.variant_id"),
        ({"product_id": 10**6}, "lines.0.product_id"),
        ({"modifier_ids": [1, 1, 6, 12]}, "lines.0.modifier_ids"),
    ],
)
def test_what_the_menu_does_not_have_is_refused_by_its_field(cashier, change, field):
    refused = cashier.order(steak(cashier, **change))
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == field


def test_a_table_goes_with_guests_who_sit(cashier, water):
    assert (
        cashier.order(water, type="delivery", table_id=1).json["errors"][0]["field"] == "table_id"
    )
    assert (
        cashier.order(water, type="dine_in", table_id=9999).json["errors"][0]["field"] == "table_id"
    )


def test_a_table_shows_its_open_orders(cashier, water):
    order = cashier.order(water, type="dine_in", table_id=5).json

    def open_orders():
        floors = cashier.get("/tables").json["floors"]
        return {table["id"]: table["open_orders"] for f in floors for table in f["tables"]}[5]

    assert order["id"] in open_orders()
    cashier.pay(order)
    assert order["id"] not in open_orders()


def test_an_order_that_is_not_there_is_404(cashier, water):
    assert cashier.get("/orders/999999").status_code == 404
    assert cashier.pay({"id": 999999, "due": 1}).status_code == 404


def test_the_menu_speaks_both_languages(cashier):
    def names(lang):
        categories = cashier.get(f"/public/menu?lang={lang}").json["categories"]
        return [product["name"] for c in categories for product in c["products"]]

    indonesian, english = names("id"), names("en")
    assert len(indonesian) == len(english) >= 60
    assert "Air Mineral" in indonesian
    assert "Mineral Water" in english


def test_a_menu_that_lies_ready_is_answered_as_the_route_answers_it(cashier):
    ready = cashier.get("/public/menu?lang=en")
    asked = cashier.get("/public/menu?lang=en", headers={"If-None-Match": '"another"'})
    assert ready.data == asked.data
    different = {"X-Request-ID", "Date"}
    assert {k: v for k, v in ready.headers if k not in different} == {
        k: v for k, v in asked.headers if k not in different
    }
    assert ready.headers["X-Request-ID"]


def test_an_unchanged_menu_is_304(cashier):
    first = cashier.get("/public/menu")
    assert first.headers["Cache-Control"].startswith("public")
    again = cashier.get("/public/menu", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
