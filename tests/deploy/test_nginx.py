"""The production's nginx, real, with its real files: the pages, and the answers of its own."""

import re
import socket
import subprocess

import pytest
import requests

from posapp.http.body import MAX_BODY_BYTES
from posapp.http.frontend import CONTENT_SECURITY_POLICY
from posapp.http.security_headers import API_POLICY, SECURITY_HEADERS
from tests.deploy import nginx
from tests.deploy.nginx import get, raw
from tests.deploy.stack import DEPLOY

CONFIGURATION = sorted((DEPLOY / "nginx").glob("*.conf"))

pytestmark = pytest.mark.usefixtures("fresh")


# What stands in the files


def test_headers_are_added_in_one_place_alone():
    """An `add_header` in a location would drop all those that it inherits."""
    found = {
        path.name for path in CONFIGURATION if re.search(r"^\s*add_header", path.read_text(), re.M)
    }
    assert found == {"headers.conf"}


def test_every_header_stands_on_errors_too_and_comes_from_a_map():
    lines = re.findall(r"^add_header .*$", (DEPLOY / "nginx/headers.conf").read_text(), re.M)
    assert len(lines) == 10
    for line in lines:
        assert re.fullmatch(r"add_header [A-Za-z-]+ \$add_\w+ always;", line)


def test_the_headers_are_those_of_the_backend():
    maps = (DEPLOY / "nginx/maps.conf").read_text()
    for name, value in SECURITY_HEADERS:
        wanted = f'"{value}"' if " " in value or "=" in value else value
        assert wanted in maps, name
    assert API_POLICY in maps


def test_nothing_but_a_keyed_request_may_be_sent_twice_after_it_was_sent():
    for path in CONFIGURATION:
        for line in path.read_text().splitlines():
            if "non_idempotent" in line and not line.lstrip().startswith("#"):
                assert path.name == "nginx.conf"
    text = (DEPLOY / "nginx/nginx.conf").read_text()
    assert text.count(" non_idempotent;") == 1
    assert re.search(r"location @resendable \{[^}]*non_idempotent", text)


def test_a_kept_connection_to_a_backend_ends_here_first():
    kept = re.search(
        r"keepalive_timeout (\d+)s; # gunicorn", (DEPLOY / "nginx/nginx.conf").read_text()
    )
    gunicorn = re.search(r"^keepalive = (\d+)$", (DEPLOY / "gunicorn.conf.py").read_text(), re.M)
    assert int(kept[1]) < int(gunicorn[1])


def test_a_body_may_be_as_large_as_the_backend_takes():
    text = (DEPLOY / "nginx/nginx.conf").read_text()
    assert f"client_max_body_size {MAX_BODY_BYTES // 1024}k;" in text


# Pages


def test_pages_are_asked_about_each_time_and_hashed_files_are_for_ever(door):
    for path in ("/", "/login", "/order/5", "/app/anything", "/index.html", "/sw.js"):
        answer = requests.get(f"{door.url}{path}", timeout=60)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache"), path
    answer = requests.get(f"{door.url}/assets/index-one.js", timeout=60)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    again = requests.get(answer.url, headers={"If-None-Match": answer.headers["ETag"]}, timeout=60)
    assert (again.status_code, again.headers["Cache-Control"]) == (
        304,
        answer.headers["Cache-Control"],
    )


@pytest.mark.parametrize(
    "path", ["/assets/gone-1234.js", "/assets/", "/assets/../assets/x", "/assets/a/b"]
)
def test_an_unknown_asset_is_a_404_that_nobody_keeps(door, path):
    answer = get(door, path)
    assert answer.startswith("HTTP/1.1 404 ")
    assert "Cache-Control: no-store\r\n" in answer
    assert "<html" not in answer


@pytest.mark.parametrize(
    "path", ["/.stamp", "/.policy", "/assets/.kept", "/.git/config", "/%2estamp"]
)
def test_what_is_hidden_is_not_there(door, path):
    assert get(door, path).startswith("HTTP/1.1 404 ")


def test_the_pages_policy_names_hashes_and_nothing_unsafe(door):
    policy = requests.get(door.url, timeout=60).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert f"style-src 'self' {' '.join(nginx.HASHES)};" in policy
    ours = {part.split()[0] for part in CONTENT_SECURITY_POLICY.split(";")}
    assert {part.split()[0] for part in policy.split(";")} == ours | {"connect-src"}


def test_text_is_compressed_ahead_of_time_and_its_plain_form_is_kept(door):
    asset = door.pages / "assets" / "index-one.js"
    packed = subprocess.run(["gzip", "-9k", "-c", asset], capture_output=True, check=True).stdout
    asset.with_name("index-one.js.gz").write_bytes(packed)
    asset.with_name("index-one.js.gz").chmod(0o644)
    plain = requests.get(
        f"{door.url}/assets/index-one.js", headers={"Accept-Encoding": "identity"}, timeout=60
    )
    short = requests.get(
        f"{door.url}/assets/index-one.js", headers={"Accept-Encoding": "gzip"}, timeout=60
    )
    assert short.headers["Content-Encoding"] == "gzip"
    assert int(short.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert short.content == plain.content
    assert short.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"


# What nginx says itself


def mistakes():
    yield 404, "/assets/none", {}
    yield 404, "/metrics", {}
    yield 404, "/metrics/more", {}
    yield 405, "/", {"method": "POST"}
    yield 412, "/", {"headers": {"If-Match": "other"}}
    yield 413, "/api/v1/orders", {"method": "POST", "data": b"x" * (MAX_BODY_BYTES + 1)}
    yield 414, f"/{'x' * 20000}", {}
    yield 431, "/", {"headers": {"X-Long": "x" * 20000}}


@pytest.mark.parametrize(("status", "path", "how"), list(mistakes()), ids=lambda v: str(v)[:30])
def test_its_own_mistakes_have_the_form_and_the_headers_of_the_backends(door, status, path, how):
    answer = requests.request(how.pop("method", "GET"), door.url + path, timeout=60, **how)
    assert answer.status_code == status
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["status"] == status
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert body["title"] != "Error"
    for name, value in SECURITY_HEADERS:
        assert answer.headers[name] == value
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Server"] == "nginx"


@pytest.mark.parametrize("path", ["/", "/assets/index-one.js"])
def test_a_part_that_is_not_there_is_the_whole_file_and_no_mistake_kept_for_ever(door, path):
    for part in ("bytes=999999-", "bytes=0-3"):
        headers = {"Range": part, "Accept-Encoding": "identity"}
        answer = requests.get(f"{door.url}{path}", headers=headers, timeout=60)
        kept = "no-cache" if path == "/" else "public, max-age=31536000, immutable"
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, kept)


def test_a_request_that_is_none_is_a_problem_too(door):
    answer = raw(door, b"NONSENSE\r\n\r\n").decode()
    assert "400" in answer
    assert "application/problem+json" in answer


def test_with_no_backend_left_it_says_when_to_come_back(door, upstreams):
    for upstream in upstreams:
        upstream.act = lambda head, client: client.shutdown(socket.SHUT_RDWR)
    answer = requests.get(f"{door.url}/api/v1/tables", timeout=60)
    assert answer.status_code in (502, 503)
    assert answer.headers["Retry-After"] == "2"
    assert answer.json()["status"] == answer.status_code
