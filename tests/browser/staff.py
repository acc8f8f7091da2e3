"""Other people of the house, past the browser: what they do at their own tills meanwhile."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import requests
from playwright.sync_api import Page


def rupiah(text: str | None) -> int:
    return int(re.sub(r"\D", "", text or ""))


def sign_in(page: Page, name: str, path: str = "/") -> Page:
    """Signs somebody in through the form."""
    page.goto(path)
    page.get_by_label("Nama pengguna").fill(name)
    page.get_by_label("Kata sandi", exact=True).fill(f"{name}-demo")
    page.get_by_role("button", name="Masuk", exact=True).click()
    page.get_by_role("button", name="Keluar").wait_for()
    return page


def come_in(page: Page, name: str, path: str) -> Page:
    """Opens a page as somebody who has signed in on this device before: without the form, which
    has tests of its own and takes longer than most of what follows."""
    body = {"username": name, "password": f"{name}-demo"}
    answer = page.request.post("/api/v1/auth/login", data=body)
    assert answer.ok, answer.text()
    page.goto("/livez")  # any page of the same origin, for what the device keeps
    page.evaluate(
        """({ refresh_token, user }) => {
            localStorage.setItem("kenangan.refresh", refresh_token);
            localStorage.setItem("kenangan.user", JSON.stringify(user));
        }""",
        answer.json(),
    )
    page.goto(path)
    return page


class Colleague:
    """Somebody at another till."""

    def __init__(self, url: str, name: str) -> None:
        self.url = f"{url}/api/v1"
        self.session = requests.Session()
        body = {"username": name, "password": f"{name}-demo"}
        answer = self.session.post(f"{self.url}/auth/login", json=body, timeout=60).json()
        self.session.headers["Authorization"] = f"Bearer {answer['access_token']}"
        menu = self.get("/public/menu")["categories"]
        self.products = {one["name"]: one for c in menu for one in c["products"]}

    def get(self, path: str, **query: str) -> Any:
        return self.session.get(f"{self.url}{path}", params=query, timeout=60).json()

    def send(self, method: str, path: str, body: Any) -> Any:
        headers = {"Idempotency-Key": str(uuid4())}
        sent = self.session.request(
            method, f"{self.url}{path}", json=body, headers=headers, timeout=60
        )
        assert sent.ok, sent.text
        return sent.json()

    def order(self, quantity: int = 1, **where: Any) -> dict[str, Any]:
        """An order of so many waters."""
        line = {"product_id": self.products["Air Mineral"]["id"], "quantity": quantity}
        return self.send("POST", "/orders", {"type": "takeaway", "lines": [line], **where})

    def pay(self, order: dict[str, Any], method: str = "qris", **sums: Any) -> dict[str, Any]:
        body = {"method": method, "amount": order["due"], **sums}
        return self.send("POST", f"/orders/{order['id']}/payments", body)

    def read(self, order: dict[str, Any]) -> dict[str, Any]:
        return self.get(f"/orders/{order['id']}")
