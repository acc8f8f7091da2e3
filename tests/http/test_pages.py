"""No list is cut in silence: each has a cursor, or is whole however long it is."""

import pytest

MANY = 231

WHOLE = {
    *("/public/menu", "/tables", "/auth/demo-logins", "/reports/day"),
    "/public/manifest",
    *("/orders/{order_id}", "/orders/{order_id}/receipt"),
}
"""One document each, as long as it takes."""

FILL = {
    "/orders": (
        "INSERT INTO orders (number, business_date, type, status, subtotal, discount,"
        " service_charge, tax, rounding, total, paid, created_by, created_at)"
        " SELECT n, '2026-01-01', 'takeaway', 'open', 0, 0, 0, 0, 0, 0, 0, 1, now()"
        " FROM generate_series(1, %s) n"
    ),
    "/admin/users": (
        "INSERT INTO users (username, name, role, password_hash, active, created_at)"
        " SELECT 'extra' || n, 'Extra', 'waiter', '-', true, now() FROM generate_series(1, %s) n"
    ),
    "/admin/audit": (
        "INSERT INTO audit_log (at, action, entity, entity_id, details)"
        " SELECT now(), 'order.created', 'order', n, '{}' FROM generate_series(1, %s) n"
    ),
}
"""A statement that adds so many items to the list."""

TABLES = {"/orders": "orders WHERE status = 'open'", "/admin/users": "users"}


@pytest.fixture(scope="module")
def admin(sign_in):
    return sign_in("admin")


def schema_of(app, operation):
    content = operation["responses"]["200"].get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    return app.api_doc["components"]["schemas"].get(name, schema)


def lists(app):
    """(path, name of the items, the operation) of all lists of the API."""
    for path, item in app.api_doc["paths"].items():
        operation = item.get("get")
        if operation is None or "200" not in operation["responses"]:
            continue
        for name, found in schema_of(app, operation).get("properties", {}).items():
            if found.get("type") == "array":
                yield path.removeprefix("/api/v1"), name, operation


def follow(till, path, name, **query):
    """All items of a list, page by page."""
    items, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = till.request("GET", path, query_string={**query, **more})
        assert answer.status_code == 200, answer.text
        assert len(answer.json[name]) <= 100
        items += answer.json[name]
        cursor = answer.json["next"]
        if cursor is None:
            return items


def test_every_list_of_the_api_has_a_cursor_or_is_whole(app):
    found = {path for path, _, _ in lists(app)}
    assert found >= {*FILL, "/public/menu", "/tables"}
    for path, _, operation in lists(app):
        parameters = {one["name"] for one in operation.get("parameters", ())}
        if path in WHOLE:
            assert not parameters & {"limit", "cursor"}, path
        else:
            assert "next" in schema_of(app, operation)["properties"], path
            assert {"cursor", "limit"} <= parameters, path


@pytest.mark.parametrize("path", FILL)
def test_the_pages_of_a_long_list_hold_every_item_once(app, admin, cursor, path):
    cursor.execute(FILL[path], [MANY])
    name = next(name for listed, name, _ in lists(app) if listed == path)
    items = follow(admin, path, name)
    ids = [item["id"] for item in items]
    assert len(ids) == len(set(ids)) >= MANY
    if path in TABLES:
        cursor.execute(f"SELECT count(*) FROM {TABLES[path]}")
        assert len(ids) == cursor.fetchone()[0]
    for limit in (1, 3, 99, 100):
        page = admin.request("GET", path, query_string={"limit": limit}).json
        assert [item["id"] for item in page[name]] == ids[:limit]
        assert page["next"] == ids[limit - 1]


def test_what_is_added_between_two_pages_shifts_none(admin, cursor):
    cursor.execute(FILL["/orders"].replace("2026-01-01", "2026-01-02"), [MANY])
    first = admin.get("/orders").json
    cursor.execute(FILL["/orders"].replace("2026-01-01", "2026-01-03"), [5])
    second = admin.get(f"/orders?cursor={first['next']}").json
    whole = [order["id"] for order in follow(admin, "/orders", "orders")]
    seen = [order["id"] for page in (first, second) for order in page["orders"]]
    assert whole[5 : 5 + len(seen)] == seen


def test_the_last_page_says_that_it_is_the_last(admin):
    assert admin.get("/orders?status=paid").json == {"orders": [], "next": None}
    assert admin.get("/orders?cursor=1").json == {"orders": [], "next": None}


@pytest.mark.parametrize("cursor", ["0", "-1", "x", "9" * 40, ""])
def test_a_cursor_that_is_none_is_named(admin, cursor):
    for path in FILL:
        answer = admin.request("GET", path, query_string={"cursor": cursor})
        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == "cursor"


def test_the_floor_plan_and_the_menu_are_whole_however_long(admin, cursor):
    cursor.execute(
        "INSERT INTO restaurant_tables (floor_id, position, name, seats)"
        " SELECT (SELECT min(id) FROM floors), 100 + n, 'X' || n, 2 FROM generate_series(1, %s) n",
        [MANY],
    )
    tables = [table for floor in admin.get("/tables").json["floors"] for table in floor["tables"]]
    assert len(tables) >= MANY
    cursor.execute(
        "INSERT INTO products (category_id, position, name_id, name_en, price, available)"
        " SELECT (SELECT min(id) FROM categories), 500 + n, 'X' || n, 'X', 1, true"
        " FROM generate_series(1, %s) n",
        [MANY],
    )
    menu = admin.get("/public/menu?lang=en").json  # nobody has asked for it, so none lies ready
    products = [product for category in menu["categories"] for product in category["products"]]
    cursor.execute("SELECT count(*) FROM products")
    assert len(products) == cursor.fetchone()[0]
