"""Sold out in one tap, by who may."""

import pytest


@pytest.mark.parametrize("role", ["kitchen", "manager", "admin"])
def test_what_is_marked_sold_out_is_refused_by_code_until_it_is_back(sign_in, cashier, role):
    product = cashier.menu()["Air Mineral"]
    path, till = f"/products/{product['id']}/availability", sign_in(role)
    line = {"product_id": product["id"], "quantity": 1}
    assert till.request("PUT", path, json={"available": False}).status_code == 200
    refused = cashier.order(line).json
    assert (refused["code"], refused["params"]) == ("sold_out", {"product": "Air Mineral"})
    till.request("PUT", path, json={"available": True})
    assert cashier.order(line).status_code == 201


def test_waiters_and_cashiers_mark_nothing(sign_in, cashier, water):
    for role in ("waiter", "cashier"):
        answer = sign_in(role).request(
            "PUT", f"/products/{water['product_id']}/availability", json={"available": False}
        )
        assert answer.status_code == 403


def test_a_product_that_is_not_there_is_told(sign_in):
    answer = sign_in("kitchen").request(
        "PUT", "/products/999999/availability", json={"available": False}
    )
    assert (answer.status_code, answer.json["code"]) == (404, "not_on_menu")
