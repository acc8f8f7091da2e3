"""Fixtures: the application on a database of its own, and a till where somebody is signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.engine import URL
from werkzeug.test import TestResponse

from posapp.app import create_app
from posapp.http.transactions import db
from posapp.settings import Settings

SECRET = "7f3b9c1e5a8d2460b7e9f1a3c5d80246"


@pytest.fixture(scope="module")
def app(database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("app")
    settings = Settings.from_env({"JWT_SECRET": SECRET, "POS_DATA_DIR": str(folder)})
    app = create_app(settings, database)
    yield app
    app.extensions["healthkit"].stop()
    with app.app_context():
        db.engine.dispose()


@dataclass
class Till:
    """One person at a till."""

    app: Flask
    headers: dict[str, str]

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.request("GET", path, **options)

    def post(
        self, path: str, body: Any = None, key: str | None = None, **options: Any
    ) -> TestResponse:
        headers = {"Idempotency-Key": key} if key else {}
        return self.request("POST", path, json=body, headers=headers, **options)

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {**self.headers, **options.pop("headers", {})}
        return self.app.test_client().open(
            f"/api/v1{path}", method=method, headers=headers, **options
        )

    def menu(self) -> dict[str, dict[str, Any]]:
        """Products by name."""
        categories = self.get("/public/menu").json["categories"]
        return {product["name"]: product for c in categories for product in c["products"]}

    def order(self, *lines: dict[str, Any], key: str | None = None, **fields: Any) -> TestResponse:
        body = {"type": "takeaway", "lines": list(lines), **fields}
        return self.post("/orders", body, key or str(uuid4()))

    def pay(
        self, order: dict[str, Any], method: str = "qris", key: str | None = None, **sums: Any
    ) -> TestResponse:
        body = {"method": method, **({"amount": order["due"]} | sums)}
        return self.post(f"/orders/{order['id']}/payments", body, key or str(uuid4()))

    def void(self, order: dict[str, Any], key: str | None = None, **fields: Any) -> TestResponse:
        body = {"reason": "salah meja", **fields}
        return self.post(f"/orders/{order['id']}/void", body, key or str(uuid4()))

    def void_line(
        self, order: dict[str, Any], line: int, key: str | None = None, **fields: Any
    ) -> TestResponse:
        """Voids the line at that position."""
        path = f"/orders/{order['id']}/lines/{order['lines'][line]['id']}/void"
        return self.post(path, {"reason": "salah pesan", **fields}, key or str(uuid4()))

    def undo(self, payment: dict[str, Any], key: str | None = None, **fields: Any) -> TestResponse:
        path = f"/orders/{payment['order_id']}/payments/{payment['id']}/reversal"
        return self.post(path, {"reason": "salah tekan", **fields}, key or str(uuid4()))


@pytest.fixture(scope="module")
def sign_in(app: Flask) -> Callable[[str], Till]:
    """`sign_in("cashier")`; nobody without a name."""

    def sign_in(name: str | None = None) -> Till:
        till = Till(app, {})
        if name is None:
            return till
        answer = till.post("/auth/login", {"username": name, "password": f"{name}-demo"})
        assert answer.status_code == 200, answer.text
        return Till(app, {"Authorization": f"Bearer {answer.json['access_token']}"})

    return sign_in


@pytest.fixture(scope="module")
def cashier(sign_in: Callable[[str], Till]) -> Till:
    return sign_in("cashier")


@pytest.fixture(scope="module")
def water(cashier: Till) -> dict[str, Any]:
    """A line that needs no choice."""
    return {"product_id": cashier.menu()["Air Mineral"]["id"], "quantity": 1}
