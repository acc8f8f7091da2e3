"""Orders are found again by number, sum, table and day."""

import pytest


@pytest.fixture(scope="module")
def bills(cashier, water):
    tables = [t for f in cashier.get("/tables").json["floors"] for t in f["tables"]]
    made = [
        cashier.order({**water, "quantity": n}, type="dine_in", table_id=tables[n]["id"]).json
        for n in (1, 2, 3)
    ]
    for order in made:
        cashier.pay(order)
    return made, [tables[n]["name"] for n in (1, 2, 3)]


def found(till, **query):
    answer = till.get("/orders", query_string={"status": "paid", **query})
    return [one["id"] for one in answer.json["orders"]]


def test_a_bill_is_found_by_its_number_its_total_and_its_table(cashier, bills):
    orders, names = bills
    for order, name in zip(orders, names, strict=True):
        total = f"Rp {order['total']:,}".replace(",", ".")
        for search in (str(order["number"]), total, name, name.lower()):
            assert order["id"] in found(cashier, search=search), search
            assert len(found(cashier, search=search)) == 1


def test_what_nobody_has_finds_nothing_and_no_text_breaks_it(cashier, bills):
    for search in ("99999999", "9" * 40, "Z99", "%", "'; --", "Rp", "\u0661"):
        assert found(cashier, search=search) == [], search


def test_bills_are_listed_by_the_day_on_which_they_were_settled(cashier, bills):
    day = bills[0][0]["business_date"]
    assert len(found(cashier, settled_on=day)) == 3
    assert found(cashier, settled_on="2020-01-01") == []


def test_a_summary_says_the_business_date_and_who_took_it(cashier, sign_in, water):
    order = sign_in("waiter").order(water).json
    [one] = [o for o in cashier.get("/orders").json["orders"] if o["id"] == order["id"]]
    assert one["taken_by"] == "waiter"
    assert one["business_date"] == order["business_date"]
