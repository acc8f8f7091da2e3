import gzip
import json
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote_to_bytes

import pytest
import trustme
from pydantic import ValidationError

from healthkit import ConfigError, Status, load_settings
from healthkit_http import Http
from healthkit_http.evaluation import Expected, HttpResponse, evaluate

HEALTH = {"status": "healthy", "ok": True, "checks": [{"name": "a", "up": 1}, {"name": "b"}]}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append(self)
        path, _, query = self.path.partition("?")
        getattr(self, "do" + path.replace("/", "_"), self.do_)(query)

    do_POST = do_HEAD = do_GET

    def answer(self, code=200, body=b"", **headers):
        self.send_response(code)
        for name, value in {"Content_Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_(self, query):
        self.answer(body="Selamat datang di Steak Kenangan ✓".encode())

    def do_status(self, query):
        self.answer(int(query))

    def do_health(self, query):
        self.answer(body=json.dumps(HEALTH).encode(), Content_Type="application/json")

    def do_late(self, query):
        self.server.gone.wait(0.06)
        self.answer()

    def do_latin(self, query):
        self.answer(body="café".encode("latin-1"), Content_Type="text/plain; charset=iso-8859-1")

    def do_packed(self, query):
        self.answer(body=gzip.compress(b"needle"), Content_Encoding="gzip")

    def do_echo(self, query):
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = {"method": self.command, "body": sent.decode(), "headers": dict(self.headers)}
        self.answer(body=json.dumps(body).encode())

    def do_to(self, query):
        self.answer(302, Location=query)

    def do_nowhere(self, query):
        self.wfile.write(
            b"HTTP/1.0 302 Found\r\nLocation: " + unquote_to_bytes(query) + b"\r\n\r\n"
        )

    def do_charset(self, query):
        self.answer(
            body=b"needle -" + b"99999" * 60_000, Content_Type=f"text/plain; charset={query}"
        )

    def do_loop(self, query):
        self.answer(302, Location="/loop")

    def do_big(self, query):
        self.endless(200)

    def do_bigredirect(self, query):
        self.endless(302, Location="/")

    def endless(self, code, **headers):
        self.answer(code, Content_Length=10**9, **headers)
        while self.server.alive and self.sends(b"x" * 65536):
            pass

    def do_dripbody(self, query):
        self.answer(Content_Length=10**6)
        while self.drips():
            pass

    def do_driphead(self, query):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while self.drips():
            pass

    def do_bighead(self, query):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while self.server.alive and self.sends(b"X: " + b"x" * 60000 + b"\r\n"):
            pass

    def drips(self):
        self.server.gone.wait(0.02)
        return self.server.alive and self.sends(b"x")

    def sends(self, data):
        try:
            self.wfile.write(data)
        except OSError:
            return False
        return True

    def do_cut(self, query):
        self.answer(body=b"short", Content_Length=500)

    def do_hangup(self, query):
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args):
        pass


@contextmanager
def serving(tls=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.alive, server.gone = [], True, threading.Event()
    server.handle_error = lambda *args: None  # refused handshakes are part of the tests
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.alive = False
        server.gone.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module", autouse=True)
def _no_proxy():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "all_proxy", "REQUESTS_CA_BUNDLE"):
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        yield


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def found(server, run_check):
    def run(path="/", timeout=5.0, **keys):
        return run_check(Http(url=server.url + path, **keys), timeout=timeout)

    return run


# What was expected


def test_an_address_that_answers_200_is_healthy(found):
    outcome = found()
    assert (outcome.status, outcome.message) == (Status.HEALTHY, "HTTP 200")
    assert outcome.details == {"status_code": 200}


@pytest.mark.parametrize(
    ("code", "expected", "message"),
    [
        (503, [200], "HTTP 503, expected 200"),
        (204, "2xx", None),
        (301, ["2xx", 301], None),
        (500, ["2xx", 301], "HTTP 500, expected 2xx or 301"),
        (404, 404, None),
        (418, "40x", "HTTP 418, expected 40x"),
    ],
)
def test_a_status_is_right_or_named_beside_the_expected_ones(found, code, expected, message):
    outcome = found(f"/status?{code}", expect_status=expected, follow_redirects=False)
    assert outcome.status is (Status.UNHEALTHY if message else Status.HEALTHY)
    assert outcome.details == {"status_code": code}
    assert message is None or outcome.message == message


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("/", "Kenangan ✓", None),
        ("/latin", "café", None),
        ("/packed", "needle", None),
        ("/", "Tutup", 'the answer does not contain "Tutup"'),
        ("/big", "needle", 'the first megabyte of the answer does not contain "needle"'),
    ],
)
def test_an_expected_text_is_in_the_answer_or_missed(found, path, text, message):
    outcome = found(path, expect_text=text)
    assert outcome.status is (Status.UNHEALTHY if message else Status.HEALTHY)
    assert message is None or outcome.message == message


@pytest.mark.parametrize(
    ("path", "json_path", "value", "message"),
    [
        ("/health", "$.status", "healthy", None),
        ("/health", "status", "healthy", None),
        ("/health", "$.ok", True, None),
        ("/health", "$.checks[?(@.name=='a')].up", 1, None),
        ("/health", "$.checks[0]", {"name": "a", "up": 1}, None),
        ("/health", "$.ok", 1, "JSON $.ok is true, expected 1"),
        ("/health", "$.status", "up", 'JSON $.status is "healthy", expected "up"'),
        ("/health", "$.checks[*].name", "a", 'JSON $.checks[*].name is "b", expected "a"'),
        ("/health", "$.gone", 1, "JSON $.gone: missing, expected 1"),
        ("/", "$.status", 1, "the answer is not JSON"),
        (
            "/big",
            "$.status",
            1,
            "the answer is longer than a megabyte, too long to be read as JSON",
        ),
    ],
)
def test_json_is_as_expected_or_told_with_its_path(found, path, json_path, value, message):
    outcome = found(path, expect_json={json_path: value})
    assert outcome.status is (Status.UNHEALTHY if message else Status.HEALTHY)
    assert message is None or outcome.message == message


def test_an_answer_that_took_too_long_is_slow_and_a_wrong_one_is_wrong_however_late():
    late = HttpResponse(status=200, text="", seconds=2.34)
    outcome = evaluate(late, Expected(slow_after=2.0))
    assert (outcome.status, outcome.message) == (Status.DEGRADED, "slow: 2.3s")
    assert evaluate(late, Expected(slow_after=3.0)).status is Status.HEALTHY
    assert evaluate(late, Expected(text="x", slow_after=2.0)).status is Status.UNHEALTHY


def test_slowness_is_measured(found):
    assert found("/late", slow_after="20ms", timeout=30).message.startswith("slow: ")


def test_what_a_faulty_answer_says_is_told_without_its_secrets():
    answer = HttpResponse(
        200, json.dumps({"e": "password=sesame at postgres://u:sesame@h\nmore"}), 0.1
    )
    message = evaluate(answer, Expected(json={"$.e": "x"})).message
    assert "sesame" not in message
    assert "\n" not in message


# What is sent


def test_method_headers_and_body_are_sent_as_configured(server, found):
    outcome = found(
        "/echo",
        method="POST",
        headers={"X-Key": "sesame", "Content-Type": "application/json"},
        body='{"kata": "é"}',
        expect_json={
            "$.method": "POST",
            "$.headers.X-Key": "sesame",
            "$.headers.Content-Type": "application/json",
            "$.headers.User-Agent": "healthkit",
            "$.body": '{"kata": "é"}',
        },
    )
    assert outcome.message == "HTTP 200"


def test_credentials_of_the_url_are_sent_and_never_shown(server, run_check):
    url = server.url.replace("://", "://pos:sesame@") + "/echo?token=sesame#sesame"
    check = Http(url=url, expect_text="Basic cG9zOnNlc2FtZQ==", headers={"X-Key": "sesame"})
    assert run_check(check).status is Status.HEALTHY
    assert check.target() == server.url + "/echo"
    assert "sesame" not in repr(check)


def test_a_redirect_is_followed_or_judged_itself(found):
    assert found("/to?/health", expect_text="healthy").status is Status.HEALTHY
    assert found("/to?/health", follow_redirects=False).message == "HTTP 302, expected 200"
    assert found("/loop").message == "too many redirects"
    assert found("/to?ftp://x/").message == "redirected to no web address"


@pytest.mark.parametrize(
    "location",
    [
        "http://%5B",
        "/%FF%FE",
        "http://%E4/",
        "http://a:99999/",
        "http://a..b/",
        "http://x@%5Bz%5D/",
    ],
)
def test_a_redirect_to_what_is_no_address_is_told_as_that(found, location):
    outcome = found(f"/nowhere?{location}")
    assert (outcome.status, outcome.message) == (Status.UNHEALTHY, "redirected to no address")
    kept = found(f"/nowhere?{location}", follow_redirects=False, expect_status=302)
    assert kept.status is Status.HEALTHY


@pytest.mark.parametrize(
    "charset", ["idna", "punycode", "undefined", "hex", "utf-8%00", "\xff", "x"]
)
def test_a_charset_that_is_none_is_read_as_utf_8_and_at_once(found, charset):
    began = time.process_time()
    assert found(f"/charset?{charset}", expect_text="needle").status is Status.HEALTHY
    assert time.process_time() - began < 2


def test_headers_do_not_follow_a_redirect_to_another_host(found):
    keys = {"headers": {"X-Key": "sesame"}, "expect_text": "sesame"}
    assert found("/to?/echo", **keys).status is Status.HEALTHY
    with serving() as other:
        outcome = found(f"/to?{other.url}/echo", **keys)
        assert len(other.seen) == 1
    assert outcome.message == 'the answer does not contain "sesame"'


# What goes wrong


@pytest.mark.parametrize("path", ["/dripbody", "/driphead"])
def test_a_server_that_drips_does_not_outlive_the_timeout(found, path):
    assert found(path, timeout=0.4).message == "no answer within 0.4s"


def test_a_redirect_with_an_endless_body_is_followed_without_reading_it_to_its_end(found):
    assert found("/bigredirect", timeout=30).message == "HTTP 200"


def test_headers_without_end_are_not_read(found):
    assert found("/bighead", timeout=30).message == "the answer is too large"


def test_faults_of_the_connection_are_told_apart(server, found, run_check):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/"
        assert run_check(Http(url=url), timeout=0.2).message == "no answer within 0.2s"
    assert run_check(Http(url=url)).message == "connection refused"
    unknown = run_check(Http(url="http://no-such-host.invalid/"))
    assert unknown.message == "host name not known"
    assert found("/hangup").message == "the server closed the connection"
    assert found("/cut").message == "the answer was cut off"
    not_tls = run_check(Http(url=server.url.replace("http:", "https:")))
    assert not_tls.message == "the TLS handshake failed"


def test_a_certificate_is_trusted_by_its_ca_or_told_as_not_valid(tmp_path, authority, run_check):
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    with serving(authority.issue_cert("127.0.0.1")) as secure:
        assert run_check(Http(url=secure.url, verify=str(ca))).status is Status.HEALTHY
        assert run_check(Http(url=secure.url, verify=False)).status is Status.HEALTHY
        untrusted = run_check(Http(url=secure.url))
        assert untrusted.message.startswith("certificate not valid: ")
        assert "issuer" in untrusted.message
    with serving(authority.issue_cert("other.example")) as wrong:
        outcome = run_check(Http(url=wrong.url, verify=str(ca)))
        assert "certificate is not valid for '127.0.0.1'" in outcome.message


# Settings


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ({"url": "your-domain.com"}, "url", "not a web address"),
        ({"url": "ftp://x/"}, "url", "not a web address"),
        ({"url": "http://x:port/"}, "url", "not a web address"),
        ({"url": "http://a b/"}, "url", "not a web address"),
        ({"url": "http://a..b/"}, "url", "not a web address"),
        ({"url": f"http://{'a' * 64}.com/"}, "url", "not a web address"),
        ({"expect_status": []}, "expect_status", "at least 1"),
        ({"expect_status": [200, 99]}, "expect_status.1", "99 is not an HTTP status"),
        ({"expect_status": "2x"}, "expect_status.0", "is not an HTTP status"),
        ({"expect_status": True}, "expect_status.0", "is not an HTTP status"),
        ({"expect_json": {"$.a[": 1}}, "expect_json", "'$.a[' is not a JSON path"),
        ({"expect_json": {"": 1}}, "expect_json", "'' is not a JSON path"),
        ({"slow_after": "soon"}, "slow_after", "is not a duration"),
        ({"method": "get it"}, "method", "match pattern"),
        ({"headers": {"X:": "1"}}, "headers", "'X:' is not the name of a header"),
        ({"headers": {"X": " sesame"}}, "headers", "the value of 'X' begins with a blank"),
        ({"headers": {"X": "\tsesame"}}, "headers", "the value of 'X' begins with a blank"),
        ({"headers": {"X": "a\nsesame"}}, "headers", "the value of 'X' has control characters"),
        ({"verify": "/no/such.pem"}, "verify", "neither true, false nor the file of a CA"),
        ({"expect_stats": 1}, "expect_stats", "Extra inputs"),
    ],
)
def test_a_mistake_names_its_key(keys, key, message):
    with pytest.raises(ValidationError) as caught:
        Http(**{"url": "http://x/", **keys})
    (fault,) = caught.value.errors()
    assert ".".join(str(part) for part in fault["loc"]) == key
    assert message in fault["msg"]
    assert "sesame" not in fault["msg"]


def test_the_installed_plugin_answers_for_its_type():
    table = {"type": "http", "url": "https://x/", "expect_json": {"$.[": 1}}
    document = {"service": {"name": "x"}, "checks": {"web": table}}
    with pytest.raises(ConfigError, match=r"checks\.web\.expect_json: '\$\.\[' is not a JSON path"):
        load_settings(document, environ={})
    del table["expect_json"]
    assert load_settings(document, environ={}).checks[0].info.target == "https://x/"
