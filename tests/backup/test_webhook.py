"""A webhook that behaves in any way holds no run for long, and what did not arrive is said."""

import http.server
import socket
import threading
from contextlib import contextmanager

import pytest

from healthkit.testing import wait_until
from posapp.backup import notifications as notifying
from posapp.backup.notifications import SENDER, Notifications
from posapp.settings import Settings
from tests.observability.sinks import sink


def send(address):
    said = []
    settings = Settings.from_env({"ALERT_WEBHOOK": f"{address}/geheim"})
    Notifications(settings, {}, said.append).send_webhook("backup-failed", "a failure")
    return said


@contextmanager
def answering(status, **headers):
    """A server that answers each request alike."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextmanager
def trickling():
    """A server that answers with headers without end, a byte at a time."""
    ended = threading.Event()

    def serve(listener):
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Header: ")
            while not ended.wait(0.05):
                connection.sendall(b"x")
            connection.sendall(b"\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener], daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        thread.join()
        wait_until(lambda: all(one.name != SENDER for one in threading.enumerate()))


def test_one_that_answers_a_byte_at_a_time_holds_no_run(monkeypatch):
    monkeypatch.setattr(notifying, "_WEBHOOK_TIMEOUT", 1.0)
    with trickling() as address:
        (line,) = send(address)
    assert line == "ALERT_WEBHOOK was not reached: it has not answered within 1s"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_one_that_leads_elsewhere_is_said_as_nothing_has_arrived_there(status):
    with sink() as elsewhere, answering(status, Location=f"http://{elsewhere.url}/") as address:
        (line,) = send(address)
    assert elsewhere.received == []
    assert line.startswith(f"ALERT_WEBHOOK was not reached: HTTP Error {status}: ")
    assert "geheim" not in line


def test_one_that_refuses_is_said():
    with answering(500) as address:
        (line,) = send(address)
    assert line == "ALERT_WEBHOOK was not reached: HTTP Error 500: Internal Server Error"
