"""A house full of people who look and ask at a steady rate, and who all must get what they asked
for."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.compose.production import PASSWORD, Production

RATE = 200
"""Requests a second that are aimed at; what the machine carried is in the report."""
PEOPLE = 16


@dataclass(frozen=True)
class Wish:
    """A request, and the one status that is meant by it."""

    name: str
    path: str
    status: int = 200
    method: str = "GET"
    signed_in: bool = False
    body: dict[str, Any] | None = None


@dataclass
class Crowd:
    """Half of the people keep their connection, as browsers and the tunnel do, and half make a new
    one each time. Nothing is asked twice, but for one thing: a kept connection that was closed at
    rest, before a byte of an answer, is replaced at once, as every HTTP client does."""

    production: Production
    rate: float = RATE
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By what was asked and what came: a status, or the error."""
    unmeant: list[str] = field(default_factory=list)
    renewed: int = 0
    """Kept connections that were found closed."""
    began: float = 0.0
    seconds: float = 0.0

    def __enter__(self) -> Crowd:
        self._ended = threading.Event()
        self._token = self.production.sign_in("admin")["access_token"]
        self._wishes = self._all_wishes()
        self.began = time.monotonic()
        self._threads = [
            threading.Thread(target=self._live, args=(number,), daemon=True)
            for number in range(PEOPLE)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.seconds = time.monotonic() - self.began
        self._ended.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads)

    def _all_wishes(self) -> list[Wish]:
        page = requests.get(self.production.url, timeout=30).text
        asset = re.search(r'"(/assets/[^"]+)"', page)
        assert asset is not None
        often = [
            Wish("menu", "/api/v1/public/menu"),
            Wish("orders", "/api/v1/orders", signed_in=True),
            Wish("who", "/api/v1/auth/me", signed_in=True),
            Wish("page", "/"),
            Wish("asset", asset[1]),
            Wish("nobody's orders", "/api/v1/orders", status=401),
            Wish("no such order", "/api/v1/orders/999999999", status=404, signed_in=True),
            Wish("ready", "/readyz"),
        ]
        # A POST without a key, which nothing may send twice.
        body = {"username": "kasir", "password": PASSWORD}
        signing_in = Wish("sign-in", "/api/v1/auth/login", method="POST", body=body)
        return [*often * 50, signing_in]

    def _live(self, number: int) -> None:
        keeps = number % 2 == 0
        connection: http.client.HTTPConnection | None = None
        step = PEOPLE / self.rate
        due = self.began + step * number / PEOPLE
        turn = number * 25  # everybody begins with another wish
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            connection = self._ask(self._wishes[turn % len(self._wishes)], connection)
            if not keeps and connection is not None:
                connection.close()
                connection = None
            turn += 1
            due = max(due + step, time.monotonic())  # late is late: nobody makes up for it
        if connection is not None:
            connection.close()

    def _ask(
        self, wish: Wish, kept: http.client.HTTPConnection | None
    ) -> http.client.HTTPConnection | None:
        """Returns the connection where it may be used again."""
        connection = kept or self._connect()
        try:
            status = self._status(wish, connection)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            connection.close()
            if kept is not None:
                self.renewed += 1
                return self._ask(wish, None)
            self._count(wish, type(error).__name__)
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            self._count(wish, type(error).__name__)
        else:
            self._count(wish, str(status))
            return connection
        return None

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.production.url)
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def _status(self, wish: Wish, connection: http.client.HTTPConnection) -> int:
        headers = {"Accept": "application/json"}
        if wish.signed_in:
            headers["Authorization"] = f"Bearer {self._token}"
        body = None
        if wish.body is not None:
            body = json.dumps(wish.body)
            headers["Content-Type"] = "application/json"
        connection.request(wish.method, wish.path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def _count(self, wish: Wish, came: str) -> None:
        self.answers[wish.name, came] += 1
        if came != str(wish.status):
            at = time.monotonic() - self.began
            self.unmeant.append(f"{wish.name}: {came} after {at:.1f} s")

    def report(self, what: str) -> None:
        """Lines for `pytest -s`: how much was asked, and each answer by what was asked."""
        asked = self.answers.total()
        rate = asked / self.seconds
        print(
            f"{what}: {asked} requests in {self.seconds:.0f} s, {rate:.0f}/s (aimed at"
            f" {self.rate:.0f}/s); not meant: {len(self.unmeant)}; kept connections that were found"
            f" closed: {self.renewed}"
        )
        print(
            "  " + ", ".join(f"{n} × {k} {came}" for (k, came), n in sorted(self.answers.items()))
        )
