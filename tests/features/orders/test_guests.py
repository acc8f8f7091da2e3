"""For whom an order is: optional, bounded, and only where it means something."""

from __future__ import annotations

from uuid import uuid4

import pytest
from psycopg2 import errors

DELIVERY = {
    "type": "delivery",
    "customer_name": "Bu Sari",
    "customer_phone": "0812-3456 7890",
    "customer_address": "Jl. Melati 3, Menteng",
}


def test_a_delivery_keeps_who_and_where_and_a_table_how_many(cashier, water):
    order = cashier.order(water, **DELIVERY).json
    again = cashier.get(f"/orders/{order['id']}").json
    for view in (order, again):
        assert {key: view[key] for key in DELIVERY} == DELIVERY
        assert view["guests"] is None
    table = cashier.get("/tables").json["floors"][0]["tables"][0]["id"]
    seated = cashier.order(water, type="dine_in", table_id=table, guests=4).json
    assert seated["guests"] == 4
    listed = {one["id"]: one for one in cashier.get("/orders").json["orders"]}
    assert listed[order["id"]]["customer_name"] == "Bu Sari"
    assert listed[seated["id"]]["guests"] == 4


def test_a_client_that_does_not_know_of_guests_sells_as_before(cashier, water):
    for kind in ("takeaway", "delivery"):
        order = cashier.order(water, type=kind)
        assert order.status_code == 201, order.text
        assert order.json["customer_name"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("guests", 0),
        ("guests", 201),
        ("guests", "4"),
        ("guests", True),
        ("customer_name", ""),
        ("customer_name", "x" * 101),
        ("customer_name", "a\nb"),
        ("customer_phone", "1234"),
        ("customer_phone", "call me"),
        ("customer_phone", "+" + "1" * 26),
        ("customer_address", "x" * 301),
        ("customer_address", "  "),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_its_name(cashier, water, field, value):
    kind = "dine_in" if field == "guests" else "delivery"
    for path in ("/orders", "/orders/quote"):
        body = {"type": kind, "lines": [water], field: value}
        refused = cashier.post(path, body, str(uuid4()))
        assert refused.status_code == 422
        assert refused.content_type == "application/problem+json"
        assert [error["field"] for error in refused.json["errors"]] == [field]


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("takeaway", "guests", 2),
        ("delivery", "guests", 2),
        ("takeaway", "customer_address", "Jl. Melati 3"),
        ("dine_in", "customer_address", "Jl. Melati 3"),
    ],
)
def test_what_does_not_go_with_the_type_is_refused_by_its_name(cashier, water, kind, field, value):
    refused = cashier.post("/orders/quote", {"type": kind, "lines": [water], field: value})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "change",
    [
        "guests = 2",
        "customer_address = 'Jl. Melati 3'",
        "type = 'dine_in', guests = 0",
        "type = 'dine_in', guests = 201",
        "customer_name = ''",
        "customer_phone = '12'",
        "type = 'delivery', customer_address = ''",
    ],
)
def test_the_database_itself_refuses_what_cannot_be(cursor, cashier, water, change):
    order = cashier.order(water).json
    with pytest.raises(errors.CheckViolation):
        cursor.execute(f"UPDATE orders SET {change} WHERE id = %s", [order["id"]])
