"""A number that somebody has written by hand, or a counter that is behind, stops no sale."""

import pytest
from loguru import logger


@pytest.fixture
def errors():
    """The lines of level ERROR."""
    found = []
    handler = logger.add(found.append, level="ERROR", format="{message}")
    yield found
    logger.remove(handler)


def sell(till, water):
    """An order and its payment; their numbers."""
    order = till.order(water).json
    return order["number"], till.pay(order).json["receipt_number"]


def stray_order(cursor, number):
    cursor.execute(
        "INSERT INTO orders (number, business_date, type, status, subtotal, discount,"
        " service_charge, tax, rounding, total, paid, created_by, created_at)"
        " SELECT %s, max(business_date), 'takeaway', 'open', 0, 0, 0, 0, 0, 0, 0, 1, now()"
        " FROM orders RETURNING id",
        [number],
    )
    return cursor.fetchone()[0]


def stray_receipt(cursor, number):
    cursor.execute(
        "INSERT INTO payments (order_id, method, amount, tendered, change, business_date,"
        " receipt_number, created_by, created_at)"
        " SELECT %s, 'cash', 0, 0, 0, max(business_date), %s, 1, now() FROM payments",
        [stray_order(cursor, 10_000 + number), number],
    )


STRAYS = {"order": (0, stray_order), "receipt": (1, stray_receipt)}


def audited(cursor, kind):
    cursor.execute(
        "SELECT entity_id, (details ->> 'last')::int FROM audit_log"
        " WHERE action = 'number.skipped' AND entity = %s ORDER BY id",
        [kind],
    )
    return cursor.fetchall()


@pytest.mark.parametrize("kind", STRAYS)
def test_a_run_of_taken_numbers_is_skipped_once_with_an_error_and_an_audit_entry(
    cashier, water, cursor, errors, kind
):
    which, stray = STRAYS[kind]
    last = sell(cashier, water)[which]
    for number in (last + 2, last + 3, last + 5):
        stray(cursor, number)
    numbers = [sell(cashier, water)[which] for _ in range(3)]
    assert numbers == [last + 1, last + 4, last + 6]
    assert audited(cursor, kind) == [(last + 2, last + 3), (last + 5, last + 5)]
    assert sum(f"next {kind} number was taken" in line for line in errors) == 2


@pytest.mark.parametrize("kind", STRAYS)
def test_a_counter_that_is_behind_catches_up_at_once(cashier, water, cursor, errors, kind):
    which, _ = STRAYS[kind]
    last = max(sell(cashier, water)[which] for _ in range(3))
    cursor.execute("UPDATE counters SET last = 0 WHERE kind = %s", [kind])
    before = len(audited(cursor, kind))
    number = sell(cashier, water)[which]
    assert number > last
    assert len(audited(cursor, kind)) == before + 1
    assert sell(cashier, water)[which] == number + 1


@pytest.mark.parametrize("kind", STRAYS)
def test_a_counter_that_is_gone_begins_after_what_is_there(cashier, water, cursor, kind):
    which, _ = STRAYS[kind]
    last = sell(cashier, water)[which]
    cursor.execute("DELETE FROM counters WHERE kind = %s", [kind])
    assert sell(cashier, water)[which] > last
