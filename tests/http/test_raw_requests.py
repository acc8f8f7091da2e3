"""Nothing that anybody sends as bytes is a 500, or is answered without a request id: below Flask
too, and for both kinds of gunicorn's workers."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posapp.http.frontend import NOT_BUILT
from tests.http.raw import connect, read, request, send

pytestmark = pytest.mark.slow

MENU = b"/api/v1/public/menu"
ORDERS = b"/api/v1/orders/quote"
JSON = b"Content-Type: application/json"
CHUNKED = b"Transfer-Encoding: chunked"
QUOTE = b'{"type": "takeaway", "lines": []}'


@pytest.fixture(scope="module", params=["gevent", pytest.param("gthread", marks=pytest.mark.deep)])
def server(request, serve, database):
    arguments = f"--worker-class {request.param} --threads 4"
    return serve(database, GUNICORN_CMD_ARGS=arguments)


def of_segment(segment):
    """A segment of a path, wherever a route or a page could take it."""
    for before in (b"/", b"/assets/", b"/api/v1/", b"/api/v1/orders/", b"/health/beat/"):
        yield request(before + segment)
        yield request(before + segment, method=b"POST")


SEGMENTS = {
    "256 characters": b"a" * 256,
    "4,000 characters": b"a" * 4000,
    "NUL": b"%00",
    "NUL in a name": b"index%00.html",
    "no UTF-8": b"%ff%fe%80",
    "half a surrogate": b"%ed%a0%80",
    "dots": b"..%2f..%2f..%2fetc%2fpasswd",
    "backslashes": b"..%5c..%5cwindows",
    "a percent that is none": b"%zz%",
    "line ends": b"a%0d%0aX-Injected:%201",
    "a right-to-left mark": b"%e2%80%ae",
    "ids of 40 digits": b"1" * 40,
    "ids of 41 digits": b"1" * 41,
    "ids of 5,000 digits": b"1" * 5000,
    "Arabic digits": b"%D9%A1%D9%A2",
    "only slashes": b"/" * 300,
}


@pytest.mark.parametrize("segment", SEGMENTS.values(), ids=SEGMENTS)
def test_a_path_is_answered_whatever_it_is(server, segment):
    for data in of_segment(segment):
        meets_the_rule(server, data)


HEADERS = {
    "SCRIPT_NAME": b"SCRIPT_NAME: /x",
    "Script-Name": b"Script-Name: /x",
    "PATH_INFO": b"PATH_INFO: /x",
    "another Host": b"Host: other",
    "no length": b"Content-Length: x",
    "negative length": b"Content-Length: -1",
    "length of 400 digits": b"Content-Length: " + b"9" * 400,
    "two lengths": b"Content-Length: 1\r\nContent-Length: 2",
    "unknown coding": b"Transfer-Encoding: gzip-of-my-own",
    "coding and length": b"Transfer-Encoding: chunked\r\nContent-Length: 3",
    "identity": b"Transfer-Encoding: identity",
    "two codings": b"Transfer-Encoding: gzip, chunked",
    "NUL in a value": b"X-A: a\x00b",
    "odd bytes in a value": b"X-A: \xff\xfe\x80",
    "odd bytes in the id": b"X-Request-ID: \xff\xfe",
    "no colon": b"nonsense",
    "space before the colon": b"X-A : 1",
    "folded": b"X-A: 1\r\n  2",
    "a bare line feed": b"X-A: 1\nX-B: 2",
    "9,000 bytes": b"X-A: " + b"a" * 9000,
    "200 fields": b"\r\n".join(b"X-%d: 1" % number for number in range(200)),
    "expectation": b"Expect: miracles",
    "schemes that contradict": b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off",
    "forwarded for nonsense": b"X-Forwarded-For: ,,\xff, 999.999.0.1",
    "forwarded host": b"X-Forwarded-Host: [",
    "nonsense as a token": b"Authorization: Bearer \xff.\x80.a",
    "no base64": b"Authorization: Basic !!!",
    "nonsense as a cookie": b"Cookie: a=\xff; =; b",
    "nonsense as a tag": b'If-None-Match: W/"\xff, ",',
    "nonsense as a date": b"If-Modified-Since: the day after tomorrow",
    "nonsense as a range": b"Range: bytes=9-1,-,0-99999999999999999999",
    "nonsense as a type": b"Content-Type: application/json; charset=\xff",
    "nonsense as a language": b"Accept-Language: \xff;q=x",
    "nonsense as accepted": b"Accept: \xff/*;q=high, a",
    "an upgrade": b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
}


@pytest.mark.parametrize("field", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("path", [MENU, b"/", b"/health", b"/api/v1/orders"])
def test_a_header_is_answered_whatever_it_is(server, field, path):
    meets_the_rule(server, request(path, field))


LINES = {
    "9,000 bytes of address": b"GET /" + b"a" * 9000 + b" HTTP/1.1",
    "9,000 bytes of query": b"GET /?" + b"a" * 9000 + b" HTTP/1.1",
    "a raw odd byte": b"GET /\xff HTTP/1.1",
    "a raw NUL": b"GET /\x00 HTTP/1.1",
    "no version": b"GET /",
    "an old version": b"GET / HTTP/0.9",
    "a new version": b"GET / HTTP/9.9",
    "no path": b"GET  HTTP/1.1",
    "one word": b"GET",
    "a star": b"OPTIONS * HTTP/1.1",
    "a method of our own": b"BREW / HTTP/1.1",
    "a method in lower case": b"get / HTTP/1.1",
    "a long method": b"G" * 500 + b" / HTTP/1.1",
    "CONNECT": b"CONNECT a:1 HTTP/1.1",
    "TRACE": b"TRACE / HTTP/1.1",
    "an absolute address": b"GET http://other.example/api/v1/orders HTTP/1.1",
    "an address that is none": b"GET http://[/ HTTP/1.1",
    "a fragment": b"GET /#a HTTP/1.1",
    "binary": bytes(range(1, 255)).replace(b"\r", b"").replace(b"\n", b""),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "the preface of HTTP/2": b"PRI * HTTP/2.0",
    "a proxy's line": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_request_line_is_answered_whatever_it_is(server, line):
    meets_the_rule(server, line + b"\r\nHost: a\r\n\r\n")


BODIES = {
    "no number": b"x\r\n",
    "a negative number": b"-1\r\n",
    "a huge number": b"F" * 40 + b"\r\n",
    "an endless number": b"0" * 9000,
    "no line end after a chunk": b"3\r\n{}  0\r\n\r\n",
    "a bad extension": b'3;="\r\n{} \r\n0\r\n\r\n',
    "a bad trailer": b"3\r\n{} \r\n0\r\nHost: x\r\n\r\n",
    "a bare line feed": b"3\n{} \n0\n\n",
    "half a chunk": b"40\r\n{}",
    "no end": b"2\r\n{}\r\n",
}


@pytest.mark.parametrize("chunks", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", [ORDERS, b"/api/v1/auth/login", b"/api/v1/orders", b"/"])
def test_a_chunked_body_is_answered_whatever_it_is(server, chunks, path):
    with connect(server.url) as sock:
        sock.sendall(request(path, JSON, CHUNKED, method=b"POST", body=chunks))
        sock.shutdown(1)  # the rest never comes
        obeys(read(sock))


@pytest.mark.parametrize("length", [b"100", b"99999999999"])
def test_a_body_that_ends_early_is_answered(server, length):
    with connect(server.url) as sock:
        sock.sendall(
            request(
                b"/api/v1/auth/login", JSON, b"Content-Length: " + length, method=b"POST", body=b"{"
            )
        )
        sock.shutdown(1)
        answer = read(sock)
    obeys(answer)
    assert answer.status in (400, 413)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.binary(min_size=1, max_size=60),
    st.binary(max_size=60),
    st.sampled_from([b"GET ", b"POST ", b"HEAD ", b""]),
)
def test_bytes_of_chance_are_answered(server, target, field, method):
    data = method + b"/" + target + b" HTTP/1.1\r\nHost: a\r\nX-A: " + field + b"\r\n\r\n"
    meets_the_rule(server, data)


def meets_the_rule(server, data):
    with connect(server.url) as sock:
        sock.sendall(data)
        sock.shutdown(1)
        obeys(read(sock, "HEAD" if data.startswith(b"HEAD ") else "GET"))


def obeys(answer):
    assert answer.status < 500 or answer.body == NOT_BUILT.encode(), answer
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", answer.headers["X-Request-ID"])
    if 400 <= answer.status < 500 and answer.body:
        assert answer.problem["request_id"] == answer.headers["X-Request-ID"]
        assert answer.problem["status"] == answer.status
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


REFUSED = {
    "a long address": (b"GET /" + b"a" * 9000 + b" HTTP/1.1", 414),
    "a long field": (b"GET / HTTP/1.1\r\nX-A: " + b"a" * 9000, 431),
    "an unknown coding": (b"POST / HTTP/1.1\r\nTransfer-Encoding: mine", 400),
    "an expectation": (b"GET / HTTP/1.1\r\nExpect: miracles", 417),
}


@pytest.mark.parametrize(("start", "status"), REFUSED.values(), ids=REFUSED)
def test_what_gunicorn_refuses_is_a_problem_and_is_in_the_log(server, start, status):
    answer = send(server.url, start + b"\r\nHost: a\r\nUser-Agent: odd\r\n\r\n")
    assert (answer.status, answer.problem["status"]) == (status, status)
    assert answer.headers["Connection"] == "close"
    line = server.line(request_id=answer.headers["X-Request-ID"])
    assert (line["level"], line["status_code"]) == ("WARN", status)
    assert line["client_ip"] == "127.0.0.1"
    assert "traceback" not in line


def test_a_refused_request_keeps_the_callers_own_id(server):
    start = b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: order-7\r\nExpect: miracles\r\n\r\n"
    answer = send(server.url, start)
    assert (answer.status, answer.headers["X-Request-ID"]) == (417, "order-7")


def test_a_secret_in_a_refused_address_is_not_logged(server):
    secret = b"Rahasia-4831-kata"
    answer = send(server.url, b"GET /?password=" + secret + b" HTTP/1.1\r\nbad\r\n\r\n")
    line = server.line(request_id=answer.headers["X-Request-ID"])
    assert secret.decode() not in str(line)
    assert line["path"].startswith("/?password=***")


def test_a_header_named_script_name_changes_nothing(server):
    answer = send(server.url, request(MENU, b"SCRIPT_NAME: /x", b"PATH_INFO: /y"))
    assert answer.status == 200


def test_the_worker_is_the_same_after_all_of_it(server):
    """Last in this file: nobody had to be replaced, and nothing was logged as an error."""
    errors = [line for line in server.lines() if line["level"] == "ERROR"]
    assert errors == []
