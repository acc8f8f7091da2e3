"""A sender who goes before all that was announced has come: nothing of it is recorded."""

import asyncio
import io
import socket
from urllib.parse import urlsplit

import pytest
import requests
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from werkzeug.test import EnvironBuilder, run_wsgi_app

from healthkit._builtin import Heartbeat
from healthkit.web import asgi, wsgi

ANNOUNCED = 1_000


@pytest.fixture
def health(make_health, token):
    return make_health(nightly=Heartbeat(every="1h", token=token))


def environ(path, sent, announced=ANNOUNCED):
    made = EnvironBuilder(path, method="POST", input_stream=io.BytesIO(sent)).get_environ()
    return made | {"CONTENT_LENGTH": str(announced)}


def test_a_body_that_is_shorter_than_announced_is_refused_under_wsgi(health, token):
    app = wsgi.HealthMiddleware(None, health)
    path = f"/health/beat/{token}"
    for announced in (ANNOUNCED, 10**30):
        _, status, _ = run_wsgi_app(app, environ(path, b"half of", announced))
        assert status == "400 Bad Request"
    assert health.last_beat("nightly") is None
    for announced in (0, 4, 7):
        assert run_wsgi_app(app, environ(path, b"half of", announced))[1] == "200 OK"


class InPieces(io.BytesIO):
    """What a server hands out as it comes."""

    def read(self, size=-1):
        return super().read(min(size, 3))


def test_a_body_that_comes_in_pieces_is_whole_under_wsgi(health, token):
    given = environ(f"/health/beat/{token}", b"", 9) | {"wsgi.input": InPieces(b"two times")}
    assert run_wsgi_app(wsgi.HealthMiddleware(None, health), given)[1] == "200 OK"
    assert health.last_run("nightly").text == "two times"


def posted(health, path, messages):
    """Returns the code of the answer to a POST whose body is received as `messages`."""
    waiting, sent = list(messages), []

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    asyncio.run(asgi.HealthMiddleware(None, health)(scope, receive, send))
    return sent[0]["status"]


def test_a_body_whose_sender_disconnects_is_refused_under_asgi(health, token):
    part = {"type": "http.request", "body": b"half of", "more_body": True}
    gone = {"type": "http.disconnect"}
    for messages in ([gone], [part, gone], [part, part, gone]):
        assert posted(health, f"/health/beat/{token}", messages) == 400
    assert health.last_beat("nightly") is None
    last = {"type": "http.request", "body": b" it"}
    assert posted(health, f"/health/beat/{token}", [part, last]) == 200
    assert health.last_run("nightly").text == "half of it"


def test_under_no_mount_a_job_has_run_of_whose_request_a_half_has_come(health, mount, token):
    with mount(health, None) as address:
        place = urlsplit(address)
        path = f"{place.path}/health/beat/{token}"
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {ANNOUNCED}\r\n\r\n"
        with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
            connection.sendall(head.encode() + b"half of")
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1_000):
                pass
        assert requests.post(f"{address}/health/beat/{token}/log", data="x", timeout=60).ok
    assert health.last_beat("nightly") is None


def test_a_body_that_is_shorter_than_announced_is_refused_under_django(health, token):
    path = f"/health/beat/{token}"
    with override_settings(HEALTHKIT_CONFIG=health):
        app = get_wsgi_application()
        assert run_wsgi_app(app, environ(path, b"half of"))[1] == "400 Bad Request"
        assert health.last_beat("nightly") is None
        assert run_wsgi_app(app, environ(path, b"half of", 7))[1] == "200 OK"
