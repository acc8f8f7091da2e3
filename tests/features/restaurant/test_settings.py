"""The house as screens and receipts name it."""

import pytest


def test_anybody_reads_name_tax_and_rates(sign_in):
    found = sign_in(None).get("/public/restaurant").json
    business_date = found.pop("business_date")
    assert len(business_date) == 10
    assert found == {
        "name": "Steak Kenangan",
        "service_rate": 500,
        "tax_name": "PB1",
        "tax_rate": 1000,
        "cash_rounding": 100,
    }


def test_an_admin_changes_them_and_the_next_order_has_the_new_rates(cashier, sign_in, water):
    admin = sign_in("admin")
    change = {"name": "Warung Bara", "tax_name": "PBJT", "tax_rate": 0, "service_rate": 0}
    try:
        changed = admin.request("PATCH", "/admin/restaurant", json=change).json
        assert {name: changed[name] for name in change} == change
        assert admin.get("/public/manifest").json["name"] == "Warung Bara"  # of the installed app
        order = cashier.order(water).json
        assert (order["tax"], order["service_charge"]) == (0, 0)
    finally:
        back = {"name": "Steak Kenangan", "tax_name": "PB1", "tax_rate": 1000, "service_rate": 500}
        admin.request("PATCH", "/admin/restaurant", json=back)


@pytest.mark.parametrize("rate", [0, 2500])
def test_an_open_order_keeps_its_rates_when_they_change_and_a_line_goes(
    cashier, sign_in, water, rate
):
    admin = sign_in("admin")
    alone = cashier.order({**water, "quantity": 3}).json
    order = cashier.order({**water, "quantity": 3}, water).json
    change = {"tax_rate": rate, "service_rate": rate}
    try:
        admin.request("PATCH", "/admin/restaurant", json=change)
        left = admin.void_line(order, 1).json
    finally:
        back = {"tax_rate": 1000, "service_rate": 500}
        admin.request("PATCH", "/admin/restaurant", json=back)
    names = ("subtotal", "service_charge", "tax", "total", "service_rate", "tax_rate")
    assert [left[name] for name in names] == [alone[name] for name in names]
    assert (left["service_rate"], left["tax_rate"]) == (500, 1000)


def test_an_order_of_the_version_before_has_the_rates_of_now(cashier, sign_in, water, cursor):
    order = cashier.order({**water, "quantity": 3}, water).json
    forget = "UPDATE orders SET service_rate = NULL, tax_rate = NULL WHERE id = %s"
    cursor.execute(forget, [order["id"]])
    left = sign_in("admin").void_line(order, 1).json
    assert (left["total"], left["tax_rate"]) == (
        cashier.order({**water, "quantity": 3}).json["total"],
        None,
    )


def test_a_rate_or_a_name_that_cannot_be_is_refused(sign_in):
    admin = sign_in("admin")
    for change in ({"tax_rate": 10_001}, {"tax_rate": -1}, {"name": "  "}, {"tax_name": ""}):
        answer = admin.request("PATCH", "/admin/restaurant", json=change)
        assert answer.status_code == 422, answer.text
        assert answer.json["errors"][0]["field"] in change
