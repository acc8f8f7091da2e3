"""What the database itself holds, whoever speaks to it."""

from zoneinfo import ZoneInfo

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


@pytest.mark.parametrize(
    "table",
    ["orders", "order_lines", "payments", "audit_log", "voids", "payment_reversals"],
)
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


VOID = (
    "INSERT INTO voids (order_id, line_id, amount, reason, voided_by, approved_by, business_date,"
    " created_at) VALUES (%s, %s, 0, %s, 1, 1, current_date, now())"
)
REVERSAL = (
    "INSERT INTO payment_reversals (payment_id, reason, reversed_by, approved_by, business_date,"
    " created_at) SELECT id, %s, 1, 1, business_date + %s, now() FROM payments WHERE id = %s"
)


@pytest.mark.parametrize("status", ["voided", "paid"])
def test_no_order_is_voided_or_paid_by_a_word_alone(cursor, order, status):
    with pytest.raises(errors.CheckViolation):
        cursor.execute("UPDATE orders SET status = %s WHERE id = %s", [status, order["id"]])


def test_a_row_of_voids_makes_the_order_voided_once_and_says_why(cursor, order):
    with pytest.raises(errors.CheckViolation):
        cursor.execute(VOID, [order["id"], None, " "])
    cursor.execute(VOID, [order["id"], None, "by hand"])
    cursor.execute("SELECT status FROM orders WHERE id = %s", [order["id"]])
    assert cursor.fetchone() == ("voided",)
    with pytest.raises((errors.CheckViolation, errors.UniqueViolation)):
        cursor.execute(VOID, [order["id"], None, "again"])


def test_a_voided_order_does_not_change_and_takes_no_money(cursor, order):
    cursor.execute(VOID, [order["id"], None, "by hand"])
    for change in ("status = 'open'", "tax = 0, total = total - tax", "table_id = 1"):
        with pytest.raises(errors.CheckViolation):
            cursor.execute(f"UPDATE orders SET {change} WHERE id = %s", [order["id"]])
    with pytest.raises(errors.CheckViolation):
        cursor.execute(
            "INSERT INTO payments (order_id, method, amount, tendered, change, business_date,"
            " receipt_number, created_by, created_at)"
            " VALUES (%s, 'qris', 1, 1, 0, current_date, 9998, 1, now())",
            [order["id"]],
        )


def test_a_line_is_not_voided_while_the_bill_still_counts_it(cursor, order):
    with pytest.raises(errors.CheckViolation):
        cursor.execute(VOID, [order["id"], order["lines"][0]["id"], "by hand"])


def test_the_subtotal_is_that_of_the_lines_that_are_left(cursor, order):
    with pytest.raises(errors.CheckViolation):
        cursor.execute(
            "UPDATE orders SET subtotal = 1, total = 1 + service_charge + tax WHERE id = %s",
            [order["id"]],
        )


def test_a_line_of_another_order_is_not_voided(cursor, cashier, water, order):
    other = cashier.order(water).json
    with pytest.raises(errors.CheckViolation):
        cursor.execute(VOID, [order["id"], other["lines"][0]["id"], "by hand"])


def test_nothing_of_a_paid_order_is_voided(cursor, cashier, order):
    cashier.pay(order)
    for line in (None, order["lines"][0]["id"]):
        with pytest.raises(errors.CheckViolation):
            cursor.execute(VOID, [order["id"], line, "by hand"])


def test_an_order_with_a_payment_is_not_voided(cursor, cashier, order):
    cashier.pay(order, amount=10)
    with pytest.raises(errors.CheckViolation):
        cursor.execute(VOID, [order["id"], None, "by hand"])


def test_a_payment_is_undone_once_on_its_own_day_and_says_why(cursor, cashier, order):
    payment = cashier.pay(order).json["id"]
    for reason, days in (("", 0), ("by hand", 1), ("by hand", -1)):
        with pytest.raises(errors.CheckViolation):
            cursor.execute(REVERSAL, [reason, days, payment])
    cursor.execute(REVERSAL, ["by hand", 0, payment])
    cursor.execute("SELECT status, paid FROM orders WHERE id = %s", [order["id"]])
    assert cursor.fetchone() == ("open", 0)
    with pytest.raises(errors.UniqueViolation):
        cursor.execute(REVERSAL, ["again", 0, payment])


@pytest.mark.parametrize("table", ["voids", "payment_reversals"])
def test_voids_and_reversals_are_only_ever_added(cursor, cashier, order, water, table):
    cursor.execute(REVERSAL, ["by hand", 0, cashier.pay(order).json["id"]])
    cursor.execute(VOID, [cashier.order(water).json["id"], None, "by hand"])
    for statement in (f"UPDATE {table} SET reason = 'another'", f"DELETE FROM {table}"):
        with pytest.raises(errors.CheckViolation):
            cursor.execute(statement)


def test_the_rounding_of_cash_moves_the_total_and_goes_with_it(cursor, cashier, order):
    payment = cashier.pay(order, "cash", amount=order["cash_due"]).json["id"]

    def sums():
        cursor.execute("SELECT rounding, total FROM orders WHERE id = %s", [order["id"]])
        return cursor.fetchone()

    assert sums() == (order["cash_due"] - order["due"], order["cash_due"])
    cursor.execute(REVERSAL, ["by hand", 0, payment])
    assert sums() == (0, order["total"])


@pytest.mark.parametrize(
    "zone", ["Asia/Djakarta", "asia/jakarta", "WIB", "UTC+7", "", " Asia/Jakarta", "posix/UTC"]
)
def test_a_time_zone_that_does_not_exist_is_refused(cursor, zone):
    """With such a one no order could be taken."""
    with pytest.raises(errors.CheckViolation, match="there is no time zone"):
        cursor.execute("UPDATE restaurant SET timezone = %s", [zone])


def test_the_zones_that_are_taken_are_those_that_orders_can_be_dated_in(cursor):
    cursor.execute("SELECT name FROM pg_timezone_names ORDER BY name")
    for zone in [*[name for (name,) in cursor.fetchall()][::37], "Asia/Makassar", "UTC"]:
        try:
            cursor.execute("UPDATE restaurant SET timezone = %s", [zone])
        except errors.CheckViolation:
            continue
        ZoneInfo(zone)
    cursor.execute("UPDATE restaurant SET timezone = 'Asia/Jakarta'")
