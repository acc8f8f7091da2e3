"""CORS: the origins of the settings, and nobody else."""

import pytest

from posapp.app import create_api
from posapp.settings import Settings
from tests.till import SECRET

OURS, ANOTHER = "https://till.example", "https://stranger.example"
ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture
def ask(tmp_path):
    """`ask(allowed, origin)`: the answer to a request that needs no database."""

    def get(allowed, origin, path="/api/v1/auth/me"):
        environ = {"JWT_SECRET": SECRET, "POS_DATA_DIR": str(tmp_path)}
        if allowed:
            environ["CORS_ALLOWED_ORIGINS"] = allowed
        app = create_api(Settings.from_env(environ))
        headers = {"Origin": origin} if origin else {}
        return app.test_client().get(path, headers=headers)

    return get


def test_an_origin_of_the_settings_is_allowed_by_name(ask):
    answer = ask(f"{ANOTHER},{OURS}", OURS)
    assert answer.headers[ALLOWED] == OURS
    assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
    assert "Idempotency-Replayed" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin", [ANOTHER, f"{OURS}.evil.example", "null", OURS.upper()])
def test_another_origin_gets_nothing(ask, origin):
    assert ALLOWED not in ask(OURS, origin).headers


def test_a_star_allows_whoever_asks(ask):
    assert ask("*", ANOTHER).headers[ALLOWED] == ANOTHER


def test_a_cache_keeps_the_answers_for_two_origins_apart(ask):
    for origin in (OURS, ANOTHER, None):
        assert "Origin" in ask(OURS, origin).headers["Vary"]


def test_without_origins_in_the_settings_there_is_no_cors(ask):
    answer = ask("", OURS)
    assert ALLOWED not in answer.headers
    assert "Origin" not in answer.headers.get("Vary", "")


def test_a_refusal_can_be_read_by_an_allowed_origin_too(ask):
    answer = ask(OURS, OURS, "/api/v1/nothing-here")
    assert answer.status_code == 404
    assert answer.headers[ALLOWED] == OURS
