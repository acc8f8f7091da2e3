"""Every mount under its real server: the same bytes, in front of everything else."""

import socket
from urllib.parse import urlsplit

import requests

from healthkit import CheckInfo, Event, EventKind, LinkSettings, Outcome
from healthkit._alerts import links
from healthkit._builtin import Heartbeat, Pushed
from healthkit._model.alerts import Level
from healthkit._store import incidents
from healthkit.testing import ScriptedCheck
from healthkit.web import wsgi
from healthkit.web.access import local_or_token


def test_every_mount_hands_out_the_same_bytes_under_its_server(settled, mount, token):
    unhealthy = settled(lambda: Outcome.unhealthy("db-7.internal is gone"))
    with mount(unhealthy, local_or_token(token)) as address, requests.Session() as session:
        for path, renderer in wsgi.PATHS.items():
            expected = unhealthy.response(renderer)
            given = {"X-Request-ID": "a-1"}
            answer = session.get(address + path, headers=given, timeout=60)
            assert (answer.status_code, answer.content) == (expected.code, expected.body), path
            assert answer.headers["X-Request-ID"] == "a-1"
            assert {k: answer.headers[k] for k, _ in expected.headers} == dict(expected.headers)
            head = session.head(address + path, timeout=60)
            assert (head.status_code, head.content) == (expected.code, b""), path
            assert head.headers["Content-Length"] == str(len(expected.body))
            refused = session.post(address + path, timeout=60)
            assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
        proxied = {"X-Forwarded-For": "203.0.113.9"}
        stranger = session.get(f"{address}/health", headers=proxied, timeout=60)
        assert stranger.content == unhealthy.response("json", details=False).body
        assert session.get(f"{address}/metrics", headers=proxied, timeout=60).status_code == 401
        known = {**proxied, "Authorization": f"Bearer {token}"}
        assert b"db-7" in session.get(f"{address}/health", headers=known, timeout=60).content
        text = session.get(f"{address}/health?format=text", timeout=60)
        assert text.content == unhealthy.response("plain").body


def test_every_mount_leaves_other_paths_to_the_application(settled, mount, redirects_to_tls):
    with mount(settled(), None) as address:
        host = {"Host": "shop.example"}
        answer = requests.get(f"{address}/hello", headers=host, timeout=60, allow_redirects=False)
        if redirects_to_tls:
            assert answer.status_code == 301, "its own redirect to TLS"
        else:
            assert (answer.status_code, answer.text.strip('"')) == (200, "hello")


def test_every_mount_takes_a_heartbeat(make_health, mount, token):
    health = make_health(nightly=Heartbeat(every="1h", token=token))
    with mount(health, None) as address:
        assert requests.post(f"{address}/health/beat/{token}", timeout=60).status_code == 200
        assert requests.post(f"{address}/health/beat/x", timeout=60).status_code == 404
        assert health.last_beat("nightly") is not None
        told = requests.post(f"{address}/health/beat/{token}/3", data=b"x" * 30_000, timeout=60)
        assert told.status_code == 200
        assert requests.post(f"{address}/health/beat/{token}/log", data="no", timeout=60).ok
    assert (health.last_run("nightly").code, health.last_run("nightly").text) == (3, "no")


def test_every_mount_answers_a_body_that_cannot_be_read(make_health, mount, token):
    health = make_health(agent=Pushed(every="1h", token=token))
    lies = (
        b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\njunk",
        b"Content-Encoding: deflate\r\nContent-Length: 6\r\n\r\n\xff\xffjunk",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"Content-Length: 4\r\n\r\n\xff\xfe[{",
    )
    with mount(health, None) as address:
        place = urlsplit(address)
        for lie in lies:
            with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
                path = f"{place.path}/health/report/{token}".encode()
                head = b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % path
                connection.sendall(head + lie)
                assert connection.recv(1_000).split(b" ")[1] == b"400", lie
    assert health.last_run("agent") is None


def test_every_mount_follows_a_link_of_a_message(make_health, mount, token):
    health = make_health(database=ScriptedCheck())
    on = LinkSettings(url="https://pos.example", secret=token)
    health.settings = health.settings.model_copy(update={"links": on})
    down, now = Outcome.unhealthy("x"), health.now()
    made = Event(EventKind.DOWN, CheckInfo("database", "Database"), now, down, incident=1)
    path = links.address(made, "people", 1, on).removeprefix("https://pos.example")
    with health.store.transaction() as connection:
        incidents.open_incident(connection, made.check, Level.DOWN, "x", made.at)
    with mount(health, None) as address:
        assert "incident 1" in requests.get(f"{address}{path}", timeout=60).text
        given = {"data": {"act": "acknowledge"}, "timeout": 20}
        assert requests.post(f"{address}{path}", **given).status_code == 200
        assert requests.post(f"{address}{path}", **given).status_code == 409
    with health.store.reading() as connection:
        assert incidents.latest(connection, 1)[0].acknowledged_by == "link in people"


def test_every_mount_starts_the_checks_and_waits_for_their_first_results(make_health, mount):
    health = make_health(database=ScriptedCheck())
    with mount(health, None) as address:
        answer = requests.get(f"{address}/health", timeout=60)
        assert answer.json()["checks"]["database"]["status"] == "healthy"
