"""The log of the running server: what operators will read, and never a secret."""

import re
import signal
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests

from healthkit.testing import wait_until
from tests.servers import PLANTED

PASSWORD, TOKEN, CARD = PLANTED


@pytest.fixture(scope="module")
def server(serve, database):
    return serve(database, WEB_CONCURRENCY="2", SLOW_QUERY_MS="0", SLOW_QUERY_PLAN="true")


@pytest.fixture(scope="module")
def session(server):
    session = requests.Session()
    login = {"username": "cashier", "password": "cashier-demo"}
    answer = session.post(f"{server.url}/api/v1/auth/login", json=login, timeout=60)
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def test_a_request_is_one_line_with_the_id_that_stands_on_its_answer(server, session):
    answer = session.get(f"{server.url}/api/v1/orders", timeout=60)
    line = server.line(request_id=answer.headers["X-Request-ID"], path="/api/v1/orders")
    assert line["level"] == "INFO"
    assert (line["method"], line["status_code"], line["client_ip"]) == ("GET", 200, "127.0.0.1")
    assert line["latency"] == f"{line['latency_ms']}ms"
    assert line["user_id"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("550e8400-e29b-41d4-a716-446655440000", True),
        ("order.7_of-9", True),
        ('x" , "level": "ERROR', False),
        ("a" * 129, False),
        ("<script>", False),
    ],
)
def test_the_callers_own_id_is_taken_where_it_is_sane(server, given, kept):
    answer = requests.get(
        f"{server.url}/api/v1/public/menu", headers={"X-Request-ID": given}, timeout=60
    )
    assert (answer.headers["X-Request-ID"] == given) is kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", answer.headers["X-Request-ID"])


@pytest.mark.parametrize(
    "path", ["/health", "/livez", "/api/v1/health", "/api/v1/nothing", "/metrics"]
)
def test_every_answer_has_an_id(server, path):
    assert requests.get(f"{server.url}{path}", timeout=60).headers["X-Request-ID"]


def test_4xx_is_warn_and_5xx_is_error_with_the_traceback_under_the_id_of_the_answer(server):
    refused = requests.get(f"{server.url}/api/v1/orders", timeout=60)
    assert (
        server.line(request_id=refused.headers["X-Request-ID"], status_code=401)["level"] == "WARN"
    )
    failed = requests.get(f"{server.url}/api/v1/error-test", timeout=60)
    assert failed.status_code == 500
    assert failed.json()["request_id"] == failed.headers["X-Request-ID"]
    assert "ErrorTest" not in failed.text
    line = server.line(request_id=failed.json()["request_id"], status_code=500)
    assert line["level"] == "ERROR"
    assert line["error"].startswith("ErrorTest: ")
    assert "posapp/operations/routes.py" in line["traceback"]


def test_errors_on_purpose_are_rationed(server):
    codes = [
        requests.get(f"{server.url}/api/v1/error-test", timeout=60).status_code for _ in range(7)
    ]
    assert codes[-1] == 429


def test_a_slow_statement_is_warn_with_its_plan(server, session):
    answer = session.get(f"{server.url}/api/v1/orders", timeout=60)
    line = server.line(
        request_id=answer.headers["X-Request-ID"], message="Slow database query", rows=0
    )
    assert line["level"] == "WARN"
    assert "FROM orders" in line["sql"]
    assert line["duration_ms"] >= 0
    assert any("Scan" in step for step in line["plan"])


def test_secrets_that_pass_through_show_in_no_line(server):
    login = f"{server.url}/api/v1/auth/login?password={PASSWORD}&token={TOKEN}"
    requests.post(login, json={"username": "cashier", "password": PASSWORD}, timeout=60)
    answer = requests.get(
        f"{server.url}/api/v1/orders?card={CARD}",
        headers={
            "Authorization": f"Bearer {TOKEN}",
            "Cookie": f"session={TOKEN}",
            "User-Agent": f"curl password={PASSWORD}",
        },
        timeout=60,
    )
    requests.post(
        f"{server.url}/api/v1/auth/refresh", json={"refresh_token": TOKEN, "x": 1}, timeout=60
    )
    line = server.line(request_id=answer.headers["X-Request-ID"])
    assert line["path"] == "/api/v1/orders?card=***MASKED***"
    assert line["user_agent"] == "curl password=***MASKED***"
    text = server.log.read_text()
    assert "***MASKED***" in text
    for secret in PLANTED:
        assert secret not in text


def test_sigusr1_shows_sql_for_a_while_and_a_second_one_ends_it(server, session):
    server.process.send_signal(signal.SIGUSR1)
    workers = psutil.Process(server.process.pid).children()
    raised = "the log level is DEBUG for 15 minutes"
    wait_until(lambda: sum(line["message"] == raised for line in server.lines()) == len(workers))
    answer = session.get(f"{server.url}/api/v1/tables", timeout=60)
    known = answer.headers["X-Request-ID"]
    assert server.line(request_id=known, message="Request started")["level"] == "DEBUG"
    server.process.send_signal(signal.SIGUSR1)
    back = "the log level is INFO again"
    wait_until(lambda: sum(line["message"] == back for line in server.lines()) == len(workers))


def test_libraries_speak_in_the_same_form(server):
    line = server.line(logger="gunicorn.error")
    assert line["level"] == "INFO"
    assert all({"timestamp", "level", "message"} <= one.keys() for one in server.lines())


@pytest.mark.deep
def test_what_many_greenlets_of_two_workers_log_at_once_stays_with_its_request(server, session):
    def ask(number):
        known = f"many-{number}"
        path = f"/api/v1/orders/{number + 1}"
        requests.get(
            f"{server.url}{path}",
            headers={**session.headers, "X-Request-ID": known},
            timeout=30,
        )
        return known, path

    with ThreadPoolExecutor(16) as pool:
        asked = dict(pool.map(ask, range(200)))
    wait_until(lambda: sum(line.get("path") in asked.values() for line in server.lines()) >= 200)
    own = [line for line in server.lines() if line.get("request_id") in asked]
    assert all(line["path"] == asked[line["request_id"]] for line in own if "path" in line)
    assert {line["request_id"] for line in own if "sql" in line} == set(asked)
