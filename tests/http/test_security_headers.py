"""The headers that keep a browser from harm, on every answer of whoever made it."""

import pytest
from werkzeug.test import Client

from posapp.app import create_app
from posapp.http.transactions import db
from posapp.settings import Settings
from tests.http.raw import request, send
from tests.till import SECRET

EXPECTED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HEALTH = ("/health", "/livez", "/readyz", "/startupz", "/api/v1/health", "/health/beat/none")
MISTAKES = ("/nothing", "/api/v1/nothing", "/assets/gone.js", "/api/v1/orders/abc", "/a\x00b")


@pytest.fixture(scope="module")
def behind_a_proxy(database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("proxied")
    environ = {"JWT_SECRET": SECRET, "POS_DATA_DIR": str(folder), "TRUSTED_PROXIES": "1"}
    app = create_app(Settings.from_env(environ), database)
    yield app
    app.extensions["healthkit"].stop()
    with app.app_context():
        db.engine.dispose()


def policy(answer):
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: set(values) for name, *values in parts}


def is_guarded(answer):
    assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED
    rules = policy(answer)
    scripts = rules.get("script-src", rules["default-src"])
    assert not {value for value in scripts if "unsafe" in value}
    assert rules["frame-ancestors"] == {"'none'"}
    allowed = dict(part.split("=") for part in answer.headers["Permissions-Policy"].split(", "))
    ours = {"screen-wake-lock", "autoplay", "fullscreen", "usb"}
    assert {name for name, value in allowed.items() if value == "(self)"} == ours
    assert {value for name, value in allowed.items() if name not in ours} == {"()"}
    assert len(answer.headers.getlist("Content-Security-Policy")) == 1


def every_path(app):
    for rule in app.url_map.iter_rules():
        yield rule.rule.replace("<int:", "").replace("<path:", "").replace(">", "")
    yield from (*HEALTH, *MISTAKES, "/", "/sell")


def test_every_answer_of_every_route_and_of_none_has_them(app):
    client = Client(app)
    for path in every_path(app):
        for method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "BREW"):
            is_guarded(client.open(path, method=method, buffered=True))


@pytest.mark.parametrize("proto", ["https", "http", None])
def test_a_browser_is_held_to_https_where_it_came_by_it(behind_a_proxy, proto):
    headers = {"X-Forwarded-For": "203.0.113.9"} | ({"X-Forwarded-Proto": proto} if proto else {})
    for path in ("/health", "/api/v1/public/menu", "/nothing", "/"):
        answer = Client(behind_a_proxy).get(path, headers=headers, buffered=True)
        assert ("Strict-Transport-Security" in answer.headers) is (proto == "https")


def test_without_a_trusted_proxy_nobody_can_say_that_it_was_https(app):
    answer = Client(app).get("/health", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.deep
@pytest.mark.slow
def test_what_gunicorn_refuses_has_them_too(serve, database):
    server = serve(database)
    refused = send(server.url, request(b"/", b"Expect: miracles"))
    assert refused.status == 417
    assert {name: refused.headers.get(name) for name in EXPECTED} == EXPECTED
    assert (
        refused.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    )
    proto = send(server.url, request(b"/health", b"X-Forwarded-Proto: https"))
    assert "Strict-Transport-Security" not in proto.headers
