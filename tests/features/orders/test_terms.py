"""Orders are priced from memory, and never by terms that the database has left."""

from uuid import uuid4

import pytest
from sqlalchemy import event

from posapp.http.transactions import db

CHANGES = {
    "a dish costs more": "UPDATE products SET price = price + 500 WHERE id = {product}",
    "the tax is another": "UPDATE restaurant SET tax_rate = tax_rate + 100",
    "a dish is sold out": "UPDATE products SET available = false WHERE id = {product}",
    "a choice is asked for": (
        "INSERT INTO product_modifier_groups SELECT {product}, id, 0 FROM modifier_groups"
        ' WHERE "min" > 0 LIMIT 1'
    ),
    "a variant is there": (
        "INSERT INTO product_variants (product_id, position, name_id, name_en, price)"
        " VALUES ({product}, 0, 'Besar', 'Large', 77000)"
    ),
}


@pytest.fixture
def statements(app):
    """The statements that the application sends to its database."""
    with app.app_context():
        engine = db.engine
    sent = []

    def executed(connection, cursor, statement, parameters, context, many):
        sent.append(statement)

    event.listen(engine, "after_cursor_execute", executed)
    yield sent
    event.remove(engine, "after_cursor_execute", executed)


def test_an_order_takes_two_statements_access_control_included(cashier, water, statements):
    cashier.order(water)
    statements.clear()
    assert cashier.order(water).status_code == 201
    assert len(statements) == 2


@pytest.fixture
def product(cursor):
    """A dish of this test's own."""
    cursor.execute(
        "INSERT INTO products (category_id, position, name_id, name_en, price, available)"
        " SELECT id, 99, %s, 'New', 40000, true FROM categories LIMIT 1 RETURNING id",
        [f"Baru {uuid4()}"],
    )
    return cursor.fetchone()[0]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_next_order_after_a_change_is_priced_by_it(cashier, cursor, product, change):
    line = {"product_id": product, "quantity": 1}
    before = cashier.order(line).json["total"]
    cursor.execute(change.format(product=product))
    sent = cashier.order(line, expected_total=before)
    assert sent.status_code in (409, 422), sent.text
    if sent.status_code == 409:
        now = cashier.order(line, expected_total=sent.json["quote"]["total"])
        assert (now.status_code, now.json["total"]) == (201, sent.json["quote"]["total"])


@pytest.mark.parametrize(
    "table",
    [
        *("categories", "products", "product_variants", "product_modifier_groups"),
        "modifier_groups",
        *("modifiers", "restaurant", "restaurant_tables"),
    ],
)
def test_every_table_that_prices_renews_the_version(cursor, table):
    cursor.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = %s AND is_identity = 'NO' LIMIT 1",
        [table],
    )
    column = cursor.fetchone()[0]
    seen = set()
    for statement in (
        "SELECT 1",
        f'UPDATE {table} SET "{column}" = "{column}" WHERE false',
        f"DELETE FROM {table} WHERE false",
        f"INSERT INTO {table} SELECT * FROM {table} WHERE false",
    ):
        cursor.execute(statement)
        cursor.execute("SELECT version FROM sale_terms")
        seen.add(cursor.fetchone()[0])
    assert len(seen) == 4


def test_a_table_that_is_new_can_be_sat_at_at_once(cashier, water, cursor):
    cashier.order(water)
    cursor.execute(
        "INSERT INTO restaurant_tables (floor_id, position, name, seats)"
        " SELECT id, 99, 'T-99', 2 FROM floors LIMIT 1 RETURNING id"
    )
    table = cursor.fetchone()[0]
    assert cashier.order(water, type="dine_in", table_id=table).status_code == 201


def test_an_order_that_was_accepted_is_known_after_its_dish_is_sold_out(cashier, cursor, product):
    line, key = {"product_id": product, "quantity": 1}, str(uuid4())
    first = cashier.order(line, key=key)
    cursor.execute("UPDATE products SET available = false WHERE id = %s", [product])
    again = cashier.order(line, key=key)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = cashier.order({**line, "quantity": 2}, key=key)
    assert other.json["errors"][0]["field"] == "Idempotency-Key"
