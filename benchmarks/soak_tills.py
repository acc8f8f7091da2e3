"""Tills for the soak: each does what a till does all day, and knows which answers it means."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter, defaultdict
from random import Random
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from benchmarks.orders import order, token

API = "/api/v1"


def sign_in(address: str) -> str:
    """An access token of the demo's cashier."""
    return token(address)


class Tally:
    """What all tills have seen."""

    def __init__(self) -> None:
        self.latencies: dict[str, list[float]] = defaultdict(list)
        """Seconds, by route."""
        self.orders: set[int] = set()
        self.unmeant: Counter[str] = Counter()
        """Answers that nobody meant."""


class Till(threading.Thread):
    """Sells, looks and mistypes until it is told to stop."""

    def __init__(
        self, address: str, token: str, tally: Tally, stop: threading.Event, dice: Random
    ) -> None:
        super().__init__()
        self._to = urlsplit(address).netloc
        self._connection = http.client.HTTPConnection(self._to, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._tally, self._told, self._dice = tally, stop, dice
        self._order = order(address)
        self._etag = ""

    def run(self) -> None:
        acts = {
            self._sell: 40,
            self._sell_twice: 5,
            self._quote: 10,
            self._look: 25,
            self._read_menu: 15,
            self._mistype: 5,
        }
        while not self._told.is_set():
            self._dice.choices(list(acts), list(acts.values()))[0]()
        self._connection.close()

    def _sell(self) -> None:
        made = self._post("/orders", self._order, self._key(), "POST /orders", 201)
        if made is None:
            return
        self._tally.orders.add(made["id"])
        payment = {"method": "qris", "amount": made["due"]}
        path, route = f"/orders/{made['id']}/payments", "POST /orders/{id}/payments"
        self._post(path, payment, self._key(), route, 201)
        self._get(f"/orders/{made['id']}", "GET /orders/{id}", 200)

    def _sell_twice(self) -> None:
        key = self._key()
        first = self._post("/orders", self._order, key, "POST /orders", 201)
        again = self._post("/orders", self._order, key, "POST /orders (again)", 201)
        if first is not None:
            self._tally.orders.add(first["id"])
            if again != first:
                self._tally.unmeant["another order under the same key"] += 1
            payment = {"method": "cash", "amount": first["cash_due"]}
            path, route = f"/orders/{first['id']}/payments", "POST /orders/{id}/payments"
            self._post(path, payment, self._key(), route, 201)

    def _quote(self) -> None:
        self._post("/orders/quote", self._order, self._key(), "POST /orders/quote", 200)

    def _look(self) -> None:
        path = self._dice.choice(["/orders", "/tables", "/auth/me"])
        self._get(path, f"GET {path}", 200)

    def _read_menu(self) -> None:
        headers = {"If-None-Match": self._etag} if self._etag and self._dice.random() < 0.5 else {}
        wanted = 304 if headers else 200
        self._get("/public/menu", f"GET /public/menu ({wanted})", wanted, headers)
        self._ask("GET", "/health", "GET /health", 200)

    def _mistype(self) -> None:
        wrong = {**self._order, "lines": [{"product_id": 10**9, "quantity": 1}]}
        self._post("/orders", wrong, self._key(), "POST /orders (422)", 422)
        self._get("/orders/999999999", "GET /orders/{id} (404)", 404)

    def _key(self) -> str:
        return str(UUID(int=self._dice.getrandbits(96) << 32 | time.monotonic_ns() % 2**32))

    def _post(self, path: str, body: Any, key: str, route: str, meant: int) -> Any:
        headers = {**self._headers, "Idempotency-Key": key}
        return self._ask("POST", API + path, route, meant, json.dumps(body), headers)

    def _get(self, path: str, route: str, meant: int, headers: dict[str, str] | None = None) -> Any:
        return self._ask("GET", API + path, route, meant, None, self._headers | (headers or {}))

    def _ask(
        self,
        method: str,
        path: str,
        route: str,
        meant: int,
        body: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Returns the JSON of an answer that was meant, else None."""
        began = time.perf_counter()
        try:
            self._connection.request(method, path, body, headers or {})
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._tally.unmeant[f"{route}: {type(error).__name__}"] += 1
            self._connection.close()
            return None
        self._tally.latencies[route].append(time.perf_counter() - began)
        if answer.status != meant:
            self._tally.unmeant[f"{route}: {answer.status} {content[:200]!r}"] += 1
            return None
        if path.startswith(f"{API}/public/menu"):
            self._etag = answer.headers["ETag"]
        return json.loads(content) if content else None
