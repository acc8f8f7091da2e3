"""What the database itself holds, whoever speaks to it."""

import pytest
from psycopg2 import errors


@pytest.fixture
def order(cashier, water):
    return cashier.order({**water, "quantity": 2}).json


def test_a_line_keeps_its_name_and_price(cursor, order):
    for change in ("name = 'x'", "unit_price = 1, total = 2", "quantity = 1"):
        with pytest.raises(errors.CheckViolation):
            cursor.execute(f"UPDATE order_lines SET {change} WHERE order_id = %s", [order["id"]])
    with pytest.raises(errors.CheckViolation):
        cursor.execute("DELETE FROM order_lines WHERE order_id = %s", [order["id"]])


def test_a_line_cannot_be_slipped_into_an_order(cursor, order):
    with pytest.raises(errors.CheckViolation):
        cursor.execute(
            "INSERT INTO order_lines (order_id, position, product_id, name, unit_price, modifiers,"
            " modifiers_price, quantity, total) SELECT order_id, 9, product_id, name, unit_price,"
            " modifiers, 0, 1, unit_price FROM order_lines WHERE order_id = %s",
            [order["id"]],
        )


def test_payments_are_only_ever_added(cursor, cashier, order):
    payment = cashier.pay(order).json["id"]
    for statement in (
        "UPDATE payments SET amount = 1, tendered = 1 WHERE id = %s",
        "DELETE FROM payments WHERE id = %s",
    ):
        with pytest.raises(errors.CheckViolation):
            cursor.execute(statement, [payment])


def test_a_payment_beyond_the_total_is_refused(cursor, order):
    with pytest.raises(errors.CheckViolation):
        cursor.execute(
            "INSERT INTO payments (order_id, method, amount, tendered, change, business_date,"
            " receipt_number, created_by, created_at)"
            " VALUES (%s, 'qris', %s, %s, 0, current_date, 9999, 1, now())",
            [order["id"], order["total"] + 1, order["total"] + 1],
        )


def test_what_was_paid_is_the_sum_of_the_payments_alone(cursor, order):
    with pytest.raises(errors.CheckViolation):
        cursor.execute("UPDATE orders SET paid = total WHERE id = %s", [order["id"]])


def test_a_paid_order_does_not_change(cursor, cashier, order):
    cashier.pay(order)
    for change in ("status = 'open'", "tax = 0, total = total - tax", "table_id = 1"):
        with pytest.raises(errors.CheckViolation):
            cursor.execute(f"UPDATE orders SET {change} WHERE id = %s", [order["id"]])


def test_an_order_keeps_its_number_and_is_never_deleted(cursor, order):
    with pytest.raises(errors.CheckViolation):
        cursor.execute("UPDATE orders SET number = number + 1000 WHERE id = %s", [order["id"]])
    with pytest.raises(errors.CheckViolation):
        cursor.execute("DELETE FROM orders WHERE id = %s", [order["id"]])


@pytest.mark.parametrize("table", ["orders", "order_lines", "payments", "audit_log"])
def test_nothing_that_counts_is_emptied(cursor, table):
    with pytest.raises((errors.CheckViolation, errors.FeatureNotSupported)):
        cursor.execute(f"TRUNCATE {table} CASCADE")


def test_sums_that_do_not_add_up_are_refused(cursor, order):
    with pytest.raises(errors.CheckViolation):
        cursor.execute("UPDATE orders SET total = total + 1 WHERE id = %s", [order["id"]])


def test_an_act_and_its_audit_row_are_there_together(cursor, cashier, order):
    payment = cashier.pay(order)
    cursor.execute(
        "SELECT action, user_id, request_id FROM audit_log"
        " WHERE (entity, entity_id) IN (('order', %s), ('payment', %s)) ORDER BY id",
        [order["id"], payment.json["id"]],
    )
    (created, taken) = cursor.fetchall()
    assert (created[0], taken[0]) == ("order.created", "payment.taken")
    assert created[1] == taken[1] is not None
    assert taken[2] == payment.headers["X-Request-ID"]
