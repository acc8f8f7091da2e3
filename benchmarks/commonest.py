"""The ten commonest statements of the API, with the plans that PostgreSQL takes for them."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL


def print_plans(url: URL) -> None:
    """Sends what tills send to the API on a database, and explains what came of it."""
    from posapp.app import create_app
    from posapp.http.transactions import db
    from posapp.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(pos_data_dir=Path(folder)), url)
        with app.app_context():
            engine: Engine = db.engine
        send(app.test_client(), Counter(), "first")  # what is read once is not among the commonest
        with counted(engine) as found:
            send(app.test_client(), found, "second")
        app.extensions["healthkit"].stop()
        raw = engine.raw_connection()
        cursor = raw.cursor()
        print("\nThe ten commonest statements, and their plans")
        for number, (statement, example) in enumerate(commonest(found), 1):
            cursor.execute(f"EXPLAIN {example}")
            print(f"\n{number}. {' '.join(statement.split())[:300]}")
            print("\n".join(f"   {row[0]}" for row in cursor.fetchall()))
        raw.rollback()
        raw.close()
        engine.dispose()


def send(client: Any, found: Counter[tuple[str, str]], name: str) -> None:
    """A little of a till's day; what was counted before it, at the sign-in, is forgotten."""
    keys = (f"commonest-statement-{name}-{n}" for n in count())
    menu = client.get("/api/v1/public/menu").json
    plain = [p for c in menu["categories"] for p in c["products"] if not p["modifier_groups"]]
    body = {"username": "cashier", "password": "cashier-demo"}
    access = client.post("/api/v1/auth/login", json=body).json["access_token"]
    found.clear()

    def ask(method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {access}", "Idempotency-Key": next(keys)}
        return client.open(f"/api/v1{path}", method=method, json=body, headers=headers).json

    lines = [{"product_id": product["id"], "quantity": 1} for product in plain[:3]]
    for _ in range(4):
        order = ask("POST", "/orders", {"type": "takeaway", "lines": lines})
        payment = {"method": "qris", "amount": order["due"]}
        ask("POST", f"/orders/{order['id']}/payments", payment)
        ask("GET", f"/orders/{order['id']}")
    ask("GET", "/orders")
    ask("GET", "/tables")


@contextmanager
def counted(engine: Engine) -> Iterator[Counter[tuple[str, str]]]:
    """Counts the statements of an engine, each with its parameters written in."""
    found: Counter[tuple[str, str]] = Counter()

    def executed(  # type: ignore[no-untyped-def]
        connection, cursor, statement, parameters, context, many
    ):
        given = parameters[0] if many else parameters
        for part in statement.split("; COMMIT; "):
            found[part, cursor.mogrify(part, given).decode()] += 1

    event.listen(engine, "after_cursor_execute", executed)
    yield found
    event.remove(engine, "after_cursor_execute", executed)


def commonest(found: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    """The ten statements that came most often, each with an example."""
    sums: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for (statement, example), times in found.items():
        sums[statement] += times
        examples[statement] = example
    return [(statement, examples[statement]) for statement, _ in sums.most_common(10)]
