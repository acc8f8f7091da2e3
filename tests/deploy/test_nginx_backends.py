"""Requests through the production's nginx: which backend gets them, how often, and the log."""

import re
import socket
import struct
import threading

import pytest
import requests

from healthkit.testing import wait_until
from posapp.http.body import MAX_BODY_BYTES
from tests.deploy import nginx
from tests.deploy.nginx import LOCAL, get, raw

pytestmark = pytest.mark.usefixtures("fresh")


# To the backend


def test_a_sane_request_id_goes_all_the_way_and_another_is_replaced(door, upstreams):
    for given, kept in (
        ("abc-123._X", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("a b", False),
        ('"}', False),
    ):
        answer = requests.get(
            f"{door.url}/api/v1/tables", headers={"X-Request-ID": given}, timeout=60
        )
        known = answer.headers["X-Request-ID"]
        assert (known == given) == kept
        passed = [u.header("X-Request-ID") for u in upstreams if u.got]
        assert passed == [[known]]
        assert door.line(known)["path"] == "/api/v1/tables"
        for upstream in upstreams:
            upstream.got.clear()


def test_what_a_client_says_of_itself_stops_here(door, upstreams):
    lies = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil"}
    lies |= {"X-Real-IP": "1.2.3.4", "CF-Connecting-IP": "1.2.3.4", "Forwarded": "for=1.2.3.4"}
    requests.get(
        f"{door.url}/api/v1/tables", headers={**lies, "Host": "pos.example.com"}, timeout=60
    )
    upstream = next(u for u in upstreams if u.got)
    assert upstream.header("X-Forwarded-For") == ["127.0.0.1"]
    assert upstream.header("X-Forwarded-Proto") == ["http"]
    assert upstream.header("X-Forwarded-Host") == ["pos.example.com"]
    assert "1.2.3.4" not in upstream.got[-1]
    assert "evil" not in upstream.got[-1]


def test_the_tunnel_alone_may_say_who_the_client_is(door, upstreams):
    answer = get(door, "/api/v1/tables", "127.0.0.9", CF_Connecting_IP="203.0.113.7")
    upstream = next(u for u in upstreams if u.got)
    assert upstream.header("X-Forwarded-For") == ["203.0.113.7"]
    assert upstream.header("X-Forwarded-Proto") == ["https"]
    assert "Strict-Transport-Security: max-age=" in answer


def test_a_whole_network_may_be_the_tunnels(upstreams):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    backend = f"{LOCAL[0]} {LOCAL[1]}:{upstreams[0].port}"
    door = nginx.start(nginx.prepare(), backend, port, TUNNEL_ADDRESS="127.0.1.0/24")
    try:
        get(door, "/api/v1/tables", "127.0.1.9", CF_Connecting_IP="203.0.113.7")
        get(door, "/api/v1/tables", "127.0.2.9", CF_Connecting_IP="203.0.113.8")
    finally:
        door.stop()
    names = ("X-Forwarded-For", "X-Forwarded-Proto")
    said = [[u.header(one, i) for one in names] for u in upstreams for i in range(len(u.got))]
    assert sorted(said) == [[["127.0.2.9"], ["http"]], [["203.0.113.7"], ["https"]]]


def test_the_backends_own_headers_stand_alone(door, upstreams):
    lines = ["Content-Security-Policy: sandbox", "Cache-Control: public, max-age=5"]
    lines += ["X-Request-ID: theirs"]
    own = "".join(f"{line}\r\n" for line in lines)
    for upstream in upstreams:
        upstream.act = lambda head, client: nginx.answer(client, headers=own)
    answer = get(door, "/api/v1/public/menu")
    for line in lines:
        name = line.partition(":")[0]
        assert [x for x in answer.split("\r\n") if x.startswith(f"{name}:")] == [line]


def test_an_answer_without_a_word_on_caching_is_kept_by_nobody(door):
    assert "Cache-Control: no-store\r\n" in get(door, "/api/v1/orders")


@pytest.mark.parametrize(
    "path",
    ["/health", "/health/beat/x", "/livez", "/readyz2", "/status", "/status.json", "/api/v1/x"],
)
def test_health_status_and_api_are_the_backends_and_the_rest_are_pages(door, upstreams, path):
    page = "<html" in get(door, path)
    assert page == (path == "/readyz2")
    assert any(u.got for u in upstreams) != page


# Sent twice, or not


def reset(head, client):
    """The backend dies with the request in its hands."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    raise OSError


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_act_without_a_key_is_sent_once(door, upstreams, method):
    for upstream in upstreams:
        upstream.act = reset
    answer = requests.request(method, f"{door.url}/api/v1/orders", json={}, timeout=60)
    assert answer.status_code == 502
    assert sum(len(u.got) for u in upstreams) == 1


def test_an_act_under_a_key_goes_on_to_another_backend(door, upstreams):
    lost = []

    def first_dies(head, client):
        if not lost:
            lost.append(head)
            reset(head, client)
        nginx.answer(client, 201)

    for upstream in upstreams:
        upstream.act = first_dies
    headers = {"Idempotency-Key": "7f1b"}
    answer = requests.post(f"{door.url}/api/v1/orders", json={"a": 1}, headers=headers, timeout=60)
    assert answer.status_code == 201
    sent = [u.header("Idempotency-Key", n) for u in upstreams for n in range(len(u.got))]
    assert sent == [["7f1b"], ["7f1b"]]


def test_an_empty_key_is_none(door, upstreams):
    for upstream in upstreams:
        upstream.act = reset
    requests.post(f"{door.url}/api/v1/orders", json={}, headers={"Idempotency-Key": ""}, timeout=60)
    assert sum(len(u.got) for u in upstreams) == 1


def test_a_question_is_asked_again_of_another_backend(door, upstreams):
    upstreams[0].act = reset
    for _ in range(4):
        assert requests.get(f"{door.url}/api/v1/tables", timeout=60).status_code == 200


# Live updates, limits


def test_events_arrive_as_they_are_sent(door, upstreams):
    release = threading.Event()

    def stream(head, client):
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        release.wait(60)
        raise OSError

    for upstream in upstreams:
        upstream.act = stream
    with requests.get(f"{door.url}/api/v1/events", stream=True, timeout=60) as answer:
        assert next(answer.iter_content(64)) == b"data: 1\n\n"  # while the stream goes on
    release.set()


def test_signing_in_is_limited_by_address_and_says_so(door, upstreams):
    def sign_in(source, path="/api/v1/auth/login"):
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        )
        return int(raw(door, head.encode(), source).split(b" ")[1])

    codes = [sign_in("127.0.0.20") for _ in range(45)]
    assert codes[:40] == [200] * 40  # a shift begins
    assert 429 in codes
    assert 429 in {sign_in("127.0.0.20", "/api/v1/auth/%6cogin") for _ in range(5)}
    assert sign_in("127.0.0.21") == 200


def test_a_body_that_does_not_come_takes_no_backend(door, upstreams):
    with socket.create_connection(("127.0.0.1", door.port), 10) as client:
        client.sendall(b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
        assert requests.get(f"{door.url}/api/v1/tables", timeout=60).status_code == 200
        assert [head for u in upstreams for head in u.got if "POST" in head] == []


# The log


def test_a_line_of_its_log_has_the_backends_names_and_no_secret(door):
    secret = "Rahasia-4831-kata"
    for path in (
        f"/api/v1/tables?password={secret}",
        f"/health/beat/{secret}",
        f"//health//%62eat/{secret}",
        f"/health/report/{secret}",
        f"/health/act/{secret}",
        f"/api/x\xff\xfe?q={secret}",
    ):
        get(door, path, User_Agent='till "1" \xff', X_Request_ID="log-1", Authorization=secret)
    lines = wait_until(
        lambda: (
            (len(door.log()) > 5 and [x for x in door.log() if x["request_id"] == "log-1"]) or None
        )
    )
    assert secret not in (door.folder / "access.log").read_text()
    line = lines[0]
    names = {"timestamp", "level", "request_id", "method", "path", "status_code", "latency"}
    assert set(line) == names | {"latency_ms", "client_ip", "user_agent", "upstream", "message"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])
    assert (line["path"], line["status_code"], line["level"]) == ("/api/v1/tables", 200, "INFO")
    assert isinstance(line["latency_ms"], int)
    assert {x["path"] for x in lines} >= {
        "/health/beat/***MASKED***",
        "/health/report/***MASKED***",
        "/health/act/***MASKED***",
    }


def test_a_token_stands_in_neither_log_when_nginx_answers_itself(door, upstreams):
    secret = "Rahasia-1947-kata"
    for upstream in upstreams:
        upstream.act = lambda head, client: client.shutdown(socket.SHUT_RDWR)
    before = len(door.log())
    paths = [f"/health/{what}/{secret}" for what in ("beat", "report", "act")]
    for path in (*paths, f"//health//%62eat/{secret}", f"/%2e/health/act/{secret}"):
        assert " 502 " in get(door, path)
    large = requests.post(f"{door.url}{paths[1]}", data=b"x" * (MAX_BODY_BYTES + 1), timeout=60)
    assert large.status_code == 413
    for path in (paths[0], f"/x/../health/beat/{secret}", f"/health/%62eat/{secret}"):
        request = f"GET {path} HTTP/1.1\r\nHost: a\r\n"
        assert b" 405 " in raw(door, request.replace("GET", "TRACE").encode() + b"\r\n")
        assert b" 431 " in raw(door, request.encode() + b"X: " + b"y" * 20_000 + b"\r\n\r\n")
        assert b" 400 " in raw(door, f"GET {path} HTTP/1.1\r\n\r\n".encode())
    wait_until(lambda: len(door.log()) >= before + 15)
    for log in ("access.log", "error.log"):
        assert secret not in (door.folder / log).read_text()


def test_what_a_query_holds_stands_in_neither_log_whatever_fails(door, upstreams):
    secret = "Rahasia-1947-kata"
    for upstream in upstreams:
        upstream.act = lambda head, client: client.shutdown(socket.SHUT_RDWR)
    before = len(door.log())
    asked = f"?token={secret}"
    paths = ["/api/v1/orders", "/api/v1/events", "/status", "/health", "/api/v1/auth/login"]
    for path in paths:
        assert " 502 " in get(door, f"{path}{asked}")
    for headers in ({}, {"Idempotency-Key": "0" * 16}):
        for path in (paths[0], paths[-1]):
            answer = requests.post(f"{door.url}{path}{asked}", headers=headers, timeout=60)
            assert answer.status_code == 502
    large = b"x" * (MAX_BODY_BYTES + 1)
    for path in ("/api/v1/orders", "/"):
        assert requests.post(f"{door.url}{path}{asked}", data=large, timeout=60).status_code == 413
    assert requests.post(f"{door.url}/{asked}", timeout=60).status_code == 405
    assert " 404 " in get(door, f"/assets/none.js{asked}")
    wait_until(lambda: len(door.log()) >= before + 13)
    for log in ("access.log", "error.log"):
        assert secret not in (door.folder / log).read_text()


def test_probes_leave_no_line(door):
    before = len(door.log())
    for path in ("/health", "/livez", "/readyz", "/nginx/live"):
        get(door, path)
    answer = requests.get(f"{door.url}/api/v1/tables", timeout=60)
    door.line(answer.headers["X-Request-ID"])
    assert len(door.log()) == before + 1


# Who is sent to


def test_only_ready_backends_are_sent_to_and_one_that_is_drained_is_not(door, upstreams):
    assert door.backends("list").split() == list(LOCAL)
    upstreams[1].ready = False
    door.backends("refresh")
    assert door.backends("list").split() == [LOCAL[0]]
    upstreams[1].ready = True
    door.backends("drain", LOCAL[0])
    assert door.backends("list").split() == [LOCAL[1]]
    wait_until(
        lambda: (
            requests.get(f"{door.url}/api/v1/tables", timeout=60) and not upstreams[0].got.clear()
        )
    )
    door.backends("restore")
    assert door.backends("list").split() == list(LOCAL)


def test_where_none_is_ready_the_last_list_stays(door, upstreams):
    for upstream in upstreams:
        upstream.ready = False
    door.backends("refresh")
    assert door.backends("list").split() == list(LOCAL)
    assert requests.get(f"{door.url}/api/v1/tables", timeout=60).status_code == 200


def test_nobody_notices_while_the_list_changes(door, upstreams):
    """A kept connection that nginx closes while it is idle is opened anew, as browsers do."""
    changes = iter(range(8))
    done = threading.Event()
    codes = []

    def ask():
        session = requests.Session()
        while not done.is_set():
            try:
                codes.append(session.get(f"{door.url}/api/v1/tables", timeout=60).status_code)
            except requests.ConnectionError:
                session.close()
                codes.append(requests.get(f"{door.url}/api/v1/tables", timeout=60).status_code)
        session.close()

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    for _ in changes:
        door.backends("drain", LOCAL[0])
        door.backends("restore")
    done.set()
    for thread in asking:
        thread.join()
    assert set(codes) == {200}


@pytest.mark.parametrize("command", [[], ["drain"], ["drain", "no address"], ["nonsense"]])
def test_a_mistake_is_told_and_changes_nothing(door, command):
    done = door.script("backends.sh", *command)
    assert done.returncode == 2
    assert done.stderr
    assert door.backends("list").split() == list(LOCAL)
