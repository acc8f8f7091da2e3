"""A till's sale through the production's nginx, before the real server and the real pages."""

import os
import socket
import subprocess
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import expect

from posapp.http.security_headers import SECURITY_HEADERS
from tests.browser.conftest import browser  # noqa: F401  the same Chromium
from tests.deploy import nginx
from tests.deploy.stack import ROOT
from tools import build_web

pytestmark = [pytest.mark.browser, pytest.mark.deep, pytest.mark.slow]


def style_hashes():
    node = build_web.find_node(os.environ["PATH"])
    program = ["node", str(ROOT / "tools/style_hashes.mjs"), str(build_web.WEB)]
    done = subprocess.run(
        program, env={**os.environ, "PATH": node.path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def door(serve, database):
    nginx.need_nginx()
    assert build_web.main([], os.environ) == 0
    served = serve(database, TRUSTED_PROXIES="1", HEALTH_TOKEN="0f9d3b7a5c1e8246b7e9f1a3c5d80246")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = nginx.prepare(build_web.WEB / "dist")
    (folder / "style-hashes").write_text(style_hashes())
    door = nginx.start(folder, f"localhost:{served.url.rpartition(':')[2]}", port)
    yield door
    door.stop()


def test_an_order_is_taken_and_paid_once(door):
    with requests.Session() as till:
        body = {"username": "cashier", "password": "cashier-demo"}
        answer = till.post(f"{door.url}/api/v1/auth/login", json=body, timeout=60)
        till.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        menu = till.get(f"{door.url}/api/v1/public/menu", timeout=60).json()
        product = next(
            p for c in menu["categories"] for p in c["products"] if p["name"] == "Air Mineral"
        )
        line = {"product_id": product["id"], "quantity": 1}
        order = {"type": "takeaway", "lines": [line]}
        key = {"Idempotency-Key": str(uuid4())}
        first, again = (
            till.post(f"{door.url}/api/v1/orders", json=order, headers=key, timeout=60)
            for _ in range(2)
        )
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["id"] == again.json()["id"]
        assert again.headers["Idempotency-Replayed"] == "true"
        pay = {"method": "qris", "amount": first.json()["due"]}
        key = {"Idempotency-Key": str(uuid4())}
        path = f"{door.url}/api/v1/orders/{first.json()['id']}/payments"
        assert till.post(path, json=pay, headers=key, timeout=60).status_code == 201


def test_every_answer_has_each_header_once(door):
    paths = ("/", "/sw.js", "/api/v1/public/menu", "/api/v1/none", "/health", "/status", "/metrics")
    for path in paths:
        with requests.get(door.url + path, timeout=60) as answer:
            for name, value in SECURITY_HEADERS:
                found = answer.raw.headers.getlist(name)
                assert len(found) == 1, (path, name, found)
                if name != "Content-Security-Policy":
                    assert found == [value]
            assert len(answer.raw.headers.getlist("X-Request-ID")) == 1, path
            assert len(answer.raw.headers.getlist("Cache-Control")) == 1, path


def test_a_stranger_sees_no_details_of_health_and_nothing_of_the_metrics(door):
    own = {"status", "response_time", "connection_pool", "uptime", "error", "warning", "tables"}
    checks = requests.get(f"{door.url}/health", timeout=60).json()["checks"]
    assert {key for check in checks.values() for key in check} <= own
    assert requests.get(f"{door.url}/metrics", timeout=60).status_code == 404


@pytest.mark.deep
def test_no_screen_breaks_the_policy_of_hashes(door, browser):  # noqa: F811
    context = browser.new_context(base_url=door.url, service_workers="block")
    page = context.new_page()
    found = []
    page.on(
        "console", lambda message: found.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: found.append(str(error)))
    for screen in ("/login", "/app/status"):
        page.goto(screen)
        expect(page.locator("#root main, #root form").first).to_be_visible()
        styles = page.evaluate(
            "[...document.querySelectorAll('style[data-mantine-styles]')].map(s => !!s.sheet)"
        )
        assert styles == [True, True]
    context.close()
    assert [text for text in found if "Content Security Policy" in text] == []
