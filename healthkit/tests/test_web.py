import json
import threading

import flask
import pytest
from werkzeug.test import Client

from healthkit import Outcome, Role, Status
from healthkit._builtin import Heartbeat
from healthkit.testing import ScriptedCheck
from healthkit.web.flask import mount
from healthkit.web.wsgi import HealthMiddleware


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the application"]


TOKEN = "9c1e5a8d2460b7e9f1a3c5d802467f3b"


@pytest.fixture
def health(make_health):
    return make_health(database=ScriptedCheck())


@pytest.fixture
def client(health):
    return Client(HealthMiddleware(application, health))


def test_the_first_request_starts_the_checks_and_waits_for_their_first_results(client):
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json["checks"]["database"]["status"] == "healthy"


def test_a_start_waits_for_required_checks_and_for_no_advisory_one(make_health):
    never = threading.Event()
    slow = ScriptedCheck(outcome=lambda: never.wait(60) and Outcome.healthy())
    health = make_health(database=ScriptedCheck(), slow=(slow, {"role": Role.ADVISORY}))
    try:
        health.start(wait=10)
        assert health.report().result("database").outcome.status is Status.HEALTHY
        assert health.report().result("slow").outcome.status is Status.UNKNOWN
        assert health.report().status is Status.HEALTHY
    finally:
        never.set()


def test_other_paths_reach_the_application(client):
    assert client.get("/").text == "the application"
    assert client.get("/health/").text == "the application"
    assert client.get("/healthz").text == "the application"


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz", "/startupz", "/metrics"])
def test_each_path_answers_get_and_head_and_no_other_method(client, path):
    assert client.get(path).status_code == 200
    head = client.head(path)
    assert head.status_code == 200
    assert head.data == b""
    refused = client.post(path)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert refused.content_type == "application/problem+json"


def test_an_unhealthy_service_answers_503(make_health):
    health = make_health(a=ScriptedCheck(outcome=lambda: Outcome.unhealthy("gone")))
    client = Client(HealthMiddleware(application, health))
    assert client.get("/health").status_code == 503
    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize(
    "ask",
    [
        {"query_string": "format=health+json"},
        {"query_string": "x=1&format=health%2Bjson"},
        {"headers": {"Accept": "application/health+json"}},
        {"headers": {"Accept": "application/health+json;q=0.9, */*"}},
    ],
)
def test_the_ietf_form_is_to_be_had_by_query_or_accept(client, ask):
    answer = client.get("/health", **ask)
    assert answer.content_type == "application/health+json"
    assert json.loads(answer.data)["status"] == "pass"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html,*/*;q=0.8", "", "x"])
def test_anybody_else_gets_the_runbooks_json(client, accept):
    assert client.get("/health", headers={"Accept": accept}).content_type == "application/json"


def test_a_sane_request_id_comes_back_and_another_is_replaced(client):
    assert client.get("/health", headers={"X-Request-ID": "a-1"}).headers["X-Request-ID"] == "a-1"
    for strange in ("a b", "x" * 129, "a\tb", "é", ""):
        answer = client.get("/health", headers={"X-Request-ID": strange})
        assert len(answer.headers["X-Request-ID"]) == 32


def test_a_heartbeat_is_heard_under_its_token_alone(make_health):
    beat = Heartbeat(every="1h", token=TOKEN)
    health = make_health(nightly=beat, other=Heartbeat(every="1h"))
    client = Client(HealthMiddleware(application, health))
    assert client.post(f"/health/beat/{TOKEN}").json == {"status": "ok"}
    assert health.last_beat("nightly") is not None
    assert health.last_beat("other") is None
    for wrong in ("", "None", "nightly", TOKEN[:-1], "é", f"{TOKEN}/"):
        assert client.post(f"/health/beat/{wrong}").status_code == 404


def test_paths_can_be_chosen(health):
    client = Client(HealthMiddleware(application, health, {"/z": "plain"}))
    assert client.get("/z").text.startswith("Test: healthy")
    assert client.get("/health").text == "the application"


def test_mounted_on_flask_it_answers_beside_the_routes(health):
    app = flask.Flask(__name__)
    app.route("/hello")(lambda: "hello")
    mount(app, health)
    assert app.test_client().get("/health").json["version"] == "1.2.3"
    assert app.test_client().get("/hello").text == "hello"
    assert app.extensions["healthkit"] is health
    with pytest.raises(RuntimeError, match="already"):
        mount(app, health)


def test_a_view_of_ones_own_that_raises_makes_only_its_own_page_a_503(make_health):
    from healthkit import Health

    plain = make_health(a=ScriptedCheck())
    health = Health(plain.settings, renderers={"mine": lambda report: 1 / 0})
    client = Client(HealthMiddleware(application, health, {"/mine": "mine", "/health": "json"}))
    assert client.get("/mine").status_code == 503
    assert client.get("/health").status_code == 200
    health.stop()


def test_a_path_to_a_renderer_that_is_not_there_is_refused_at_the_start(make_health):
    with pytest.raises(KeyError, match="runbook"):
        HealthMiddleware(application, make_health(), {"/health": "runbook"})
