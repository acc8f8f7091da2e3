"""What the order screen weighs, and how long a tap on a dish takes on a slow tablet."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any

import requests
from playwright.sync_api import Page, Route, sync_playwright

from benchmarks.measure import database, gunicorn, need
from tools import build_web

WEIGHT_KB = 200
TAP_MS = 100
PRODUCTS = 500
SLOWER = 4
TAPS = 15

# From the tap until the next picture that shows it.
TAP = """
(button) => new Promise((done) => {
  const list = document.querySelector("aside");
  const began = performance.now();
  const seen = new MutationObserver(() => {
    if (!list.querySelector("li")) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  });
  seen.observe(list, { childList: true, subtree: true, characterData: true });
  button.click();
})
"""


def many_products(menu: dict[str, Any]) -> dict[str, Any]:
    """A menu with so many dishes in its first category, none with a question."""
    first = menu["categories"][0]
    plain = first["products"][0] | {"variants": [], "modifier_groups": []}
    first["products"] = [
        plain | {"id": 10_000 + at, "name": f"Hidangan {at}"} for at in range(PRODUCTS)
    ]
    return menu


@contextmanager
def chromium() -> Iterator[Any]:
    need("chromium", "chromium")
    node = shutil.which("node", path=build_web.find_node(os.environ["PATH"]).path)
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(node)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        yield browser
        browser.close()


def sign_in(page: Page, username: str) -> None:
    page.goto("/login")
    page.get_by_label("Nama pengguna").fill(username)
    page.get_by_label("Kata sandi", exact=True).fill(f"{username}-demo")
    page.get_by_role("button", name="Masuk", exact=True).click()
    page.get_by_role("button", name="Keluar").wait_for()


def weigh(page: Page) -> float:
    """The scripts that the order screen loads, gzipped, in KB of 1,000 bytes."""
    scripts: list[str] = []
    page.on("request", lambda one: one.url.endswith(".js") and scripts.append(one.url))
    page.goto("/order")
    page.get_by_role("tab").first.wait_for()
    sizes = {url: len(gzip.compress(requests.get(url, timeout=10).content, 9)) for url in scripts}
    return sum(sizes.values()) / 1000


def tap_times(page: Page) -> list[float]:
    """Milliseconds of each tap, with the processor slowed down."""

    def extend(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=json.dumps(many_products(answer.json())))

    page.route("**/api/v1/public/menu*", extend)
    page.route("**/api/v1/orders/quote", lambda route: route.abort())
    page.goto("/order")
    tiles = page.get_by_role("tabpanel").get_by_role("button")
    tiles.nth(PRODUCTS - 1).wait_for()
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return [float(tiles.nth(at * 7).evaluate(TAP)) for at in range(TAPS)]


def main() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(database())
        environ = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "POS_DATA_DIR": folder,
            "HEALTHKIT_STORE": f"sqlite:///{folder}/store.db",
        }
        assert build_web.main([], os.environ) == 0
        config = ("--config", "deploy/gunicorn.conf.py", "--workers", "1")  # it sets up the log
        pos = stack.enter_context(gunicorn("wsgi:app", environ, *config))
        browser = stack.enter_context(chromium())
        context = browser.new_context(base_url=pos, service_workers="block")
        page = context.new_page()
        sign_in(page, "cashier")
        weight = weigh(page)
        taps = tap_times(page)
    print(f"\nThe order screen; {PRODUCTS} dishes, the processor {SLOWER} times slower\n")
    print("|                             |  found |  mark |")
    print("| --------------------------- | -----: | ----: |")
    print(f"| JavaScript, gzipped, KB     | {weight:6.1f} | {WEIGHT_KB:5} |")
    print(f"| a tap, median of {TAPS}, ms     | {median(taps):6.1f} | {TAP_MS:5} |")
    print(f"| a tap, the slowest, ms      | {max(taps):6.1f} | {TAP_MS:5} |")
