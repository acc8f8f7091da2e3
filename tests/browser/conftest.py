"""A real Chromium in front of the real server, on a database of its own."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy.engine import URL

from healthkit.testing import wait_until
from posapp import demo
from posapp.db import make_engine, upgrade
from posapp.seed import seed
from posapp.settings import Settings
from tools import build_web

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desk": (1440, 900), "landscape": (1024, 768), "portrait": (820, 1180)}


@dataclass(frozen=True)
class RunningPos:
    """The production server with the built front end and the demo's menu."""

    url: str
    database: URL

    def execute(self, statement: str, *values: Any) -> None:
        address = self.database
        connection = psycopg2.connect(
            host=address.query["host"], user=address.username, dbname=address.database
        )
        with closing(connection), connection, connection.cursor() as cursor:
            cursor.execute(statement, values)

    def ask(self, path: str, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(f"{self.url}/api/v1{path}", headers=headers, timeout=10).json()

    def orders(self, status: str = "open") -> list[dict[str, Any]]:
        """What the server has, as the manager sees it."""
        body = {"username": "manager", "password": "manager-demo"}
        answer = requests.post(f"{self.url}/api/v1/auth/login", json=body, timeout=10).json()
        return self.ask(f"/orders?status={status}&limit=200", answer["access_token"])["orders"]


@pytest.fixture(scope="session")
def running_pos(postgres, tmp_path_factory) -> Iterator[RunningPos]:
    assert build_web.main([], os.environ) == 0
    folder = tmp_path_factory.mktemp("browser")
    database = postgres.create(f"browser_{uuid4().hex[:8]}")
    settings = Settings.from_env({"POS_DATA_DIR": str(folder)})
    upgrade(database)
    engine = make_engine(database, settings)
    seed(engine)
    engine.dispose()
    with serving(database, settings, folder) as url:
        yield RunningPos(url, database)


@contextmanager
def serving(database: URL, settings: Settings, folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = demo.environment(os.environ, settings, database)
    environ |= {"PORT": str(port), "WEB_CONCURRENCY": "1", "GRACEFUL_TIMEOUT": "1"}
    environ["HEALTHKIT_STORE"] = f"sqlite:///{folder}/healthkit.db"
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(demo.gunicorn(), env=environ, stdout=log, stderr=log)
        try:
            wait_until(lambda: _is_up(port), 30)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _is_up(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        reason = "there is no Chromium; on Debian: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, running_pos: RunningPos) -> Iterator[BrowserContext]:
    """A fresh tablet, without the service worker that would hide requests from `route`."""
    context = browser.new_context(
        base_url=running_pos.url,
        viewport={"width": 1440, "height": 900},
        service_workers="block",
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
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
    page.goto("/")
    page.get_by_label("Nama pengguna").fill("cashier")
    page.get_by_label("Kata sandi", exact=True).fill("cashier-demo")
    page.get_by_role("button", name="Masuk", exact=True).click()
    page.get_by_role("tab", name="Steak").wait_for()
    return page
