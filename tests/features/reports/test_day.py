"""The sums of a day, which agree with its bills and its money."""

from datetime import date, timedelta

import pytest

from posapp.features.restaurant.service import RestaurantSettings


@pytest.fixture(scope="module")
def manager(sign_in):
    return sign_in("manager")


def report(till, day=None):
    answer = till.get(f"/reports/day?date={day}" if day else "/reports/day")
    assert answer.status_code == 200, answer.text
    return answer.json


def shift(cursor, table, column, condition, values):
    """Moves rows a day back, as if they had been written then."""
    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    cursor.execute(f"UPDATE {table} SET {column} = {column} - 1 WHERE {condition}", values)
    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_a_day_is_summed_by_method_tax_service_rounding_and_voids(manager, cashier, water):
    bills = [cashier.order({**water, "quantity": n}).json for n in (1, 2, 3, 4, 5, 6)]
    cash, qris, mixed, mistake, gone, unpaid = bills
    first = cashier.pay(cash, "cash", amount=cash["cash_due"], tendered=50_000).json
    cashier.pay(qris, "qris")
    cashier.pay(mixed, "card", amount=20_000)
    cashier.pay(mixed, "qris", amount=mixed["due"] - 20_000)
    manager.undo(cashier.pay(mistake, "card").json)
    last = cashier.pay(mistake, "qris").json
    manager.void(gone)
    manager.void_line(cashier.order(water, water).json, 0)
    cashier.pay(unpaid, "card", amount=5_000)

    found = report(manager)
    settled = [cashier.get(f"/orders/{order['id']}").json for order in (cash, qris, mixed, mistake)]
    assert found["sales"] == {
        "orders": 4,
        **{
            name: sum(order[name] for order in settled)
            for name in ("subtotal", "discount", "service_charge", "tax", "rounding", "total")
        },
    }
    assert found["sales"]["rounding"] == cash["cash_due"] - cash["due"] != 0
    card, undone = 20_000 + 5_000, mistake["due"]
    assert found["methods"] == [
        sums("cash", 1, cash["cash_due"]),
        sums("qris", 3, qris["due"] + mixed["due"] - 20_000 + mistake["due"]),
        sums("card", 2, card, 1, undone),
    ]
    assert found["received"] == sum(method["amount"] for method in found["methods"])
    assert found["receipts"] == {
        "count": 7,
        "first": first["receipt_number"],
        "last": last["receipt_number"] + 1,
    }
    assert found["carried"] == {"unsettled": 5_000, "earlier": 0}
    assert found["voids"] == {"orders": 1, "lines": 1, "amount": gone["total"] + 13_860}
    assert found["today"] is True


def sums(method, count, amount, undone_count=0, undone_amount=0):
    return {
        "method": method,
        "count": count,
        "amount": amount,
        "undone_count": undone_count,
        "undone_amount": undone_amount,
    }


def test_a_bill_belongs_to_the_day_on_which_it_was_settled(manager, cashier, water, cursor):
    order = cashier.order({**water, "quantity": 7}).json
    part = cashier.pay(order, "card", amount=10_000).json
    shift(cursor, "payments", "business_date", "id = %s", [part["id"]])
    shift(cursor, "orders", "business_date", "id = %s", [order["id"]])
    today = date.fromisoformat(report(manager)["date"])
    yesterday = today - timedelta(days=1)
    before, taken = report(manager), report(manager, yesterday)
    assert taken["carried"] == {"unsettled": 10_000, "earlier": 0}
    assert (taken["received"], taken["sales"]["orders"], taken["today"]) == (10_000, 0, False)
    cashier.pay(cashier.get(f"/orders/{order['id']}").json, "qris")
    after = report(manager)
    assert after["sales"]["total"] == before["sales"]["total"] + order["total"]
    assert after["carried"]["earlier"] == before["carried"]["earlier"] + 10_000
    assert report(manager, yesterday) == taken, "a day that is over does not change"


def test_what_was_received_is_what_was_sold_but_for_parts(manager, cashier, water):
    """Stated by the API itself; whatever the tests before have done."""
    for n in range(1, 6):
        order = cashier.order({**water, "quantity": n}).json
        cashier.pay(order, ["cash", "qris"][n % 2], amount=n * 1_000)
        if n % 3:
            left = cashier.get(f"/orders/{order['id']}").json
            cashier.pay(left, "cash", amount=left["cash_due"])
    found = report(manager)
    carried = found["carried"]
    assert found["received"] == (
        found["sales"]["total"] + carried["unsettled"] - carried["earlier"]
    )
    parts = ("subtotal", "service_charge", "tax", "rounding")
    assert found["sales"]["total"] == sum(found["sales"][part] for part in parts)


def test_a_day_without_sales_is_all_nothing(manager):
    found = report(manager, "2020-02-29")
    assert found["receipts"] == {"count": 0, "first": None, "last": None}
    assert [method["method"] for method in found["methods"]] == ["cash", "qris", "card"]
    assert found["received"] == found["sales"]["total"] == found["voids"]["amount"] == 0


def test_without_a_date_it_is_the_business_date_of_now(manager, cashier, water):
    order = cashier.order(water).json
    assert report(manager)["date"] == order["business_date"]
    assert RestaurantSettings().day_starts.hour == 4


@pytest.mark.parametrize(
    "day",
    ["", "today", "2026-02-30", "20261301", "2026-11-25T00:00:01", "0", "9" * 40, "1234567890"],
)
def test_a_date_that_is_none_is_named(manager, day):
    refused = manager.get(f"/reports/day?date={day}")
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "date"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_of_all_days_are_days(manager, day):
    assert report(manager, day)["received"] == 0


@pytest.mark.parametrize(
    ("role", "status"),
    [("admin", 200), ("manager", 200), ("cashier", 403), ("waiter", 403), ("kitchen", 403)],
)
def test_reports_are_for_managers(sign_in, role, status):
    assert sign_in(role).get("/reports/day").status_code == status
