"""CORS: the origins of the settings, and nobody else."""

import pytest
from werkzeug.test import Client

from posapp.app import create_api
from posapp.http.cors import CorsMiddleware
from posapp.settings import Settings
from tests.till import SECRET

OURS, ANOTHER = "https://till.example", "https://stranger.example"
ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    environ = {"JWT_SECRET": SECRET, "POS_DATA_DIR": str(tmp_path_factory.mktemp("cors"))}
    return create_api(Settings.from_env(environ))


@pytest.fixture
def ask(api):
    """`ask(allowed, origin)`: the answer to a request that needs no database."""

    def send(allowed, origin, path="/api/v1/auth/me", method="GET", headers=()):
        given = dict(headers) | ({"Origin": origin} if origin else {})
        client = Client(CorsMiddleware(api.wsgi_app, allowed))
        return client.open(path, method=method, headers=given)

    return send


@pytest.fixture
def preflight(ask):
    def send(allowed, origin, path, method="GET"):
        asked = {"Access-Control-Request-Method": method}
        return ask(allowed, origin, path, "OPTIONS", asked)

    return send


def test_an_origin_of_the_settings_is_allowed_by_name(ask, preflight):
    answer = ask((ANOTHER, OURS), OURS)
    assert answer.headers[ALLOWED] == OURS
    assert "Idempotency-Replayed" in answer.headers["Access-Control-Expose-Headers"]
    answer = preflight((ANOTHER, OURS), OURS, "/api/v1/orders", "POST")
    assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", [ANOTHER, f"{OURS}.evil.example", "null", OURS.upper()])
def test_another_origin_gets_nothing(ask, preflight, origin):
    for answer in (ask((OURS,), origin), preflight((OURS,), origin, "/api/v1/orders")):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


def test_a_star_allows_whoever_asks(ask):
    assert ask(("*",), ANOTHER).headers[ALLOWED] == ANOTHER


def test_a_cache_keeps_the_answers_for_two_origins_apart(ask):
    for origin in (OURS, ANOTHER, None):
        assert "Origin" in ask((OURS,), origin).headers["Vary"]


def test_without_origins_in_the_settings_there_is_no_cors(ask, preflight):
    for answer in (ask((), OURS), preflight((), OURS, "/api/v1/orders")):
        assert ALLOWED not in answer.headers
        assert "Origin" not in answer.headers.get("Vary", "")


def test_a_refusal_can_be_read_by_an_allowed_origin_too(ask):
    answer = ask((OURS,), OURS, "/api/v1/nothing-here")
    assert answer.status_code == 404
    assert answer.headers[ALLOWED] == OURS


def test_the_preflight_of_every_route_is_204_for_an_allowed_origin_alone(api, preflight):
    found = 0
    for rule in api.url_map.iter_rules():
        path = rule.rule.replace("<int:", "").replace("<path:", "").replace(">", "")
        for method in rule.methods - {"OPTIONS"}:
            answer = preflight((OURS,), OURS, path, method)
            assert (answer.status_code, answer.headers[ALLOWED]) == (204, OURS), path
            assert answer.data == b""
            assert answer.headers["X-Request-ID"]
            refused = preflight((OURS,), ANOTHER, path, method)
            assert refused.status_code == 403
            assert refused.json["request_id"] == refused.headers["X-Request-ID"]
            found += 1
    assert found > 30


def test_options_that_are_no_preflight_are_the_routes_own(ask):
    answer = ask((OURS,), OURS, "/api/v1/public/menu", "OPTIONS")
    assert "GET" in answer.headers["Allow"]
