"""Who sees hosts, paths and texts of errors, and who sees that it is up."""

import json

import pytest
from werkzeug.test import Client

from healthkit import Check, Outcome
from healthkit.testing import ScriptedCheck
from healthkit.web.access import is_local, local_or_token
from healthkit.web.wsgi import PATHS, HealthMiddleware

TOKEN = "9c1e5a8d2460b7e9f1a3c5d802467f3b"
HOST, FOLDER, ERROR = "db-7.internal", "/srv/private", "password authentication failed"
INSIDE = (HOST, FOLDER, ERROR, "17.4")
LOCAL = {"REMOTE_ADDR": "127.0.0.1"}
STRANGER = {"REMOTE_ADDR": "203.0.113.9"}
FORMATS = ("json", "health+json", "text", "prometheus")


class Telling(Check):
    """A check whose details are of every kind."""

    public_details = ("connection_pool", "folder")
    healthy: bool

    def run(self, context):
        details = {
            "connection_pool": {"open": 5, "in_use": 2, "idle": 3, "host": HOST},
            "server_version": "17.4",
            "folder": FOLDER,
        }
        if self.healthy:
            return Outcome.healthy(f"{HOST} answers", **details)
        return Outcome.unhealthy(f"{HOST}: {ERROR}", **details)


def application(environ, start_response):
    start_response("404 Not Found", [])
    return [b""]


@pytest.fixture(params=[True, False], ids=["healthy", "unhealthy"])
def health(request, make_health):
    degraded = ScriptedCheck(outcome=lambda: Outcome.degraded(f"{FOLDER} is full", path=FOLDER))
    health = make_health(database=Telling(healthy=request.param), disk=degraded)
    health.start(wait=5)
    return health


@pytest.fixture
def client(health):
    return Client(HealthMiddleware(application, health, None, local_or_token(TOKEN)))


def views():
    yield from PATHS
    yield from (f"/health?format={name}" for name in (*FORMATS, "health%2Bjson", "nonsense"))


def test_a_stranger_sees_no_text_of_a_check_in_any_view(client):
    for path in views():
        for accept in ("*/*", "application/health+json", "text/plain"):
            answer = client.get(path, headers={"Accept": accept}, environ_base=STRANGER)
            assert not [word for word in INSIDE if word in answer.text], path
            assert not [word for word in INSIDE if word in str(answer.headers)], path


def test_a_stranger_sees_status_and_numbers_that_a_check_shows_to_all(client, health):
    body = client.get("/health", environ_base=STRANGER).json
    status = health.report().status.value
    database = body["checks"]["database"]
    assert body["status"] == status
    assert database["connection_pool"] == {"open": 5, "in_use": 2, "idle": 3}
    assert "response_time" in database
    assert "server_version" not in database
    assert database.get("error") == (None if database["status"] == "healthy" else "unhealthy")
    assert body["checks"]["disk"]["warning"] == "degraded"
    assert body["checks"]["api"]["uptime"]


def test_this_machine_and_the_token_see_all_of_it(client):
    for environ, headers in ((LOCAL, {}), (STRANGER, {"Authorization": f"Bearer {TOKEN}"})):
        text = client.get("/health", environ_base=environ, headers=headers).text
        assert HOST in text
        assert FOLDER in text
        metrics = client.get("/metrics", environ_base=environ, headers=headers)
        assert metrics.status_code == 200
        assert "healthkit_up" in metrics.text


def test_metrics_are_401_for_a_stranger_and_say_how_to_read_them(client):
    for path in ("/metrics", "/health?format=prometheus"):
        answer = client.get(path, environ_base=STRANGER)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.content_type == "application/problem+json"
        assert json.loads(answer.data)["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é", "x" * 5000],
)
def test_a_token_that_is_not_the_one_opens_nothing(value):
    assert not local_or_token(TOKEN)({**STRANGER, "HTTP_AUTHORIZATION": value})
    assert not local_or_token(None)({**STRANGER, "HTTP_AUTHORIZATION": value})
    assert not local_or_token("")({**STRANGER, "HTTP_AUTHORIZATION": value})


def test_the_scheme_may_be_written_in_any_case():
    assert local_or_token(TOKEN)({**STRANGER, "HTTP_AUTHORIZATION": f"bearer {TOKEN}"})


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_local(address):
    assert is_local({"REMOTE_ADDR": address})


@pytest.mark.parametrize("address", ["10.0.0.1", "::2", "::ffff:10.0.0.1", "", "unix:", "0.0.0.0"])
def test_no_other_address_is(address):
    assert not is_local({"REMOTE_ADDR": address})


@pytest.mark.parametrize(
    "header",
    [
        *("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Anything"),
        *("Forwarded", "Via", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "CDN-Loop"),
    ],
)
def test_a_proxy_on_this_machine_is_not_local(header):
    key = "HTTP_" + header.upper().replace("-", "_")
    for value in ("203.0.113.9", "127.0.0.1", ""):
        assert not is_local({**LOCAL, key: value})


def test_without_a_rule_everybody_sees_all(health):
    open_to_all = Client(HealthMiddleware(application, health))
    assert HOST in open_to_all.get("/health", environ_base=STRANGER).text
