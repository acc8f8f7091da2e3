"""Error tracking, against an ingest on loopback that receives the real envelopes."""

import json
import subprocess
import sys

import pytest
import requests

from healthkit.testing import wait_until
from tests.observability.sinks import envelopes, sink
from tests.servers import PLANTED

PASSWORD, TOKEN, CARD = PLANTED


@pytest.fixture(scope="module")
def ingest():
    with sink() as kept:
        yield kept


@pytest.fixture(scope="module")
def server(serve, database, ingest):
    return serve(
        database, SENTRY_DSN=f"http://abc123@{ingest.url}/456", SENTRY_TRACES_SAMPLE_RATE="1"
    )


@pytest.fixture(scope="module")
def failed(server):
    login = {"username": "cashier", "password": "cashier-demo"}
    token = requests.post(f"{server.url}/api/v1/auth/login", json=login, timeout=60).json()
    return requests.get(
        f"{server.url}/api/v1/error-test?password={PASSWORD}&card={CARD}",
        headers={
            "Authorization": f"Bearer {token['access_token']}",
            "Cookie": f"session={TOKEN}",
            "X-Api-Key": TOKEN,
        },
        timeout=60,
    )


def first(ingest, kind, **fields):
    def found():
        return next(
            (e for e in envelopes(ingest) if e["type"] == kind and fields.items() <= e.items()),
            None,
        )

    return wait_until(found, 60)


@pytest.mark.deep
def test_an_error_arrives_with_release_environment_and_the_id_of_its_request(ingest, failed):
    event = first(ingest, "event")
    (error,) = event["exception"]["values"]
    assert error["type"] == "ErrorTest"
    assert event["release"] == "steak-kenangan-pos@1.0.0"
    assert event["environment"] == "development"
    assert event["tags"]["request_id"] == failed.headers["X-Request-ID"]
    frames = error["stacktrace"]["frames"]
    assert frames[-1]["function"] == "trigger_test_error"
    assert "vars" not in frames[-1]


def test_no_secret_and_no_name_leaves(ingest, failed):
    first(ingest, "event")
    first(ingest, "transaction", transaction="/api/v1/error-test")
    text = b"\n".join(body for _, body in ingest.received).decode()
    for secret in (*PLANTED, "cashier-demo", "Dewi Lestari", "eyJhbGciOi"):
        assert secret not in text
    assert "***MASKED***" in text


def test_who_asked_is_told_by_number_alone(ingest, server):
    login = {"username": "waiter", "password": "waiter-demo"}
    answer = requests.post(f"{server.url}/api/v1/auth/login", json=login, timeout=60).json()
    user, headers = answer["user"], {"Authorization": f"Bearer {answer['access_token']}"}
    requests.get(f"{server.url}/api/v1/tables", headers=headers, timeout=60)
    transaction = first(ingest, "transaction", transaction="/api/v1/tables")
    assert transaction["user"] == {"id": str(user["id"])}


def test_a_trace_has_the_request_and_its_statements(ingest, server, failed):
    requests.get(f"{server.url}/api/v1/public/menu?lang=en", timeout=60)
    transaction = first(ingest, "transaction", transaction="/api/v1/public/menu")
    assert transaction["contexts"]["trace"]["op"] == "http.server"
    assert any(
        span["op"] == "db" and "FROM products" in span["description"]
        for span in transaction["spans"]
    )


def test_the_log_says_that_error_tracking_is_on_and_keeps_the_dsn_to_itself(server):
    line = server.line(message="Sentry error tracking is on (development)")
    assert line["level"] == "INFO"
    assert "abc123" not in server.log.read_text()


@pytest.mark.deep
def test_without_a_dsn_and_an_endpoint_nothing_of_it_is_imported(tmp_path):
    code = (
        "import sys, json; from posapp.app import create_app;"
        "from posapp.settings import Settings; from sqlalchemy import make_url;"
        f"create_app(Settings(pos_data_dir={str(tmp_path)!r}),"
        " make_url('postgresql+psycopg2://nobody@127.0.0.1:1/none'));"
        "print(json.dumps([n for n in sys.modules if n.startswith(('sentry', 'opentelemetry'))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
