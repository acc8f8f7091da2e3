"""A real Chromium in front of the running POS."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from posapp.runtime.postgres import use_embedded_database
from tests.browser.staff import come_in
from tools import build_web

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# How long a page may take to say what is awaited, on a machine that has much else to do.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


class House:
    """The running POS with the front end of these sources, seen past the browser."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.url = url
        self.data_dir = data_dir

    def orders(self, status: str = "open") -> list[dict[str, Any]]:
        """What the server has, as the manager sees it."""
        body = {"username": "manager", "password": "manager-demo"}
        with requests.Session() as session:
            answer = session.post(f"{self.url}/api/v1/auth/login", json=body, timeout=60).json()
            session.headers["Authorization"] = f"Bearer {answer['access_token']}"
            query = {"status": status, "limit": "200"}
            found = session.get(f"{self.url}/api/v1/orders", params=query, timeout=60)
            return found.json()["orders"]

    def set_available(self, product: str, available: bool) -> None:
        self._change("available = %s", available, product)

    def raise_price(self, product: str, rupiah: int) -> None:
        self._change("price = price + %s", rupiah, product)

    def _change(self, what: str, value: object, product: str) -> None:
        with use_embedded_database(self.data_dir) as address:
            connection = psycopg2.connect(
                host=address.query["host"], user=address.username, dbname=address.database
            )
            with closing(connection), connection, connection.cursor() as cursor:
                cursor.execute(f"UPDATE products SET {what} WHERE name_id = %s", (value, product))
                assert cursor.rowcount == 1


@pytest.fixture(scope="session")
def house(running_pos) -> House:
    assert build_web.main([], os.environ) == 0
    return House(running_pos.url, running_pos.data_dir)


@pytest.fixture(scope="session")
def browser(need: Callable[..., None]) -> Iterator[Browser]:
    need(_program())
    with pytest.MonkeyPatch.context() as environ:
        # Playwright's own Node needs a library that a bare Debian lacks.
        node = shutil.which("node", path=build_web.find_node(os.environ["PATH"]).path)
        environ.setenv("PLAYWRIGHT_NODEJS_PATH", str(node))
        yield from _chromium()


def _program() -> str:
    """Debian's Chromium without windows, which takes a third of the time for a page; else the one
    with them."""
    shell = "chromium-headless-shell"
    return shell if shutil.which(shell) else "chromium"


def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(_program()), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, house: House) -> Iterator[BrowserContext]:
    """A fresh tablet, without the service worker that would hide requests from `route`."""
    context = browser.new_context(
        base_url=house.url,
        viewport={"width": 1440, "height": 900},
        service_workers="block",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which no script may fail."""
    page = context.new_page()
    faults: list[Any] = []
    page.on("pageerror", lambda fault: faults.append(fault))
    yield page
    assert faults == []


@pytest.fixture
def till(page: Page) -> Page:
    """The order screen, with the cashier signed in."""
    come_in(page, "cashier", "/order")
    page.get_by_role("tab", name="Steak").wait_for()
    return page
