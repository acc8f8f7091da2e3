import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import ValidationError

from healthkit import Status
from healthkit_http import Http, addresses
from healthkit_http.addresses import PrivateAddressError, is_public, public_address


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "255.255.255.255", "224.0.0.1", "192.0.2.1", "198.18.0.1", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
        *("2002:7f00:1::", "2002:a00:1::", "::127.0.0.1", "", "x", "2001:0:a00:1::f5ff:fffe"),
    ],
)
def test_no_address_within_is_public(address):
    assert not is_public(address)


@pytest.fixture
def silent(monkeypatch):
    """The port of a name with twenty addresses, none of which answers: the queue is full."""
    real = socket.getaddrinfo

    def look_up(host, *more, **named):
        if host != "twenty.example":
            return real(host, *more, **named)
        return [place for n in range(2, 22) for place in real(f"127.0.0.{n}", *more, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with ExitStack() as opened:
        listening = opened.enter_context(socket.socket())
        listening.bind(("0.0.0.0", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def test_all_addresses_of_a_host_share_one_timeout(run_check, silent):
    began = time.monotonic()
    outcome = run_check(Http(url=f"http://twenty.example:{silent}/"), timeout=0.2)
    assert outcome.message == "no answer within 0.2s"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


def looks_up(monkeypatch, *found):
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in found]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_: places)


def test_one_address_within_is_enough_to_refuse_a_name(monkeypatch):
    looks_up(monkeypatch, "1.1.1.1", "10.0.0.1")
    with pytest.raises(PrivateAddressError):
        public_address("two.example", 80)
    looks_up(monkeypatch)
    with pytest.raises(PrivateAddressError):
        public_address("none.example", 80)
    looks_up(monkeypatch, "2606:4700::1111", "1.1.1.1")
    assert public_address("two.example", 80) == "1.1.1.1"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.hosts.append(self.headers["Host"])
        body = b"inside"
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", self.server.leads_to)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def served():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.hosts, server.leads_to = [], "/"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001"])
def test_what_is_within_is_never_connected_to(run_check, host):
    with served() as server:
        check = Http(url=f"http://{host}:{server.server_port}/", private_addresses=False)
        found = run_check(check)
        assert found.status is Status.UNHEALTHY
        assert found.message == "refused: its address is not public"
        assert server.hosts == []
        assert run_check(check.model_copy(update={"private_addresses": True})).message == "HTTP 200"


def test_the_address_that_was_looked_at_is_the_one_that_is_connected_to(run_check, monkeypatch):
    """A name that leads elsewhere at the second look, as rebinding has it, and a redirect."""
    with served() as server:
        looks, real = [], socket.getaddrinfo

        def look_up(host, *more, **named):
            looks.append(host)
            return real("127.0.0.1" if host == "shop.example" else host, *more, **named)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        monkeypatch.setattr(addresses, "is_public", lambda address: "shop.example" in looks[-1:])
        url = f"http://shop.example:{server.server_port}"
        check = Http(url=f"{url}/", private_addresses=False)
        assert run_check(check).message == "HTTP 200"
        assert looks == ["shop.example", "127.0.0.1"], "what is connected to is the address itself"
        assert server.hosts == [f"shop.example:{server.server_port}"]

        server.leads_to = f"http://localhost:{server.server_port}/"
        check = Http(url=f"{url}/away", private_addresses=False)
        assert run_check(check).message == "refused: its address is not public"
        assert len(server.hosts) == 2, "where it leads to is not asked"


@pytest.mark.parametrize("private", [True, False])
def test_a_redirect_to_the_same_host_is_followed(run_check, monkeypatch, private):
    monkeypatch.setattr(addresses, "is_public", lambda address: True)
    with served() as server:
        url = server.leads_to = f"http://127.0.0.1:{server.server_port}/"
        check = Http(url=f"{url}away", private_addresses=private)
        assert run_check(check).message == "HTTP 200"
        assert len(server.hosts) == 2


@pytest.mark.parametrize("query", ["depth <", "", "a.b[", "unknown(a", "(" * 5000])
def test_what_is_no_query_is_a_mistake(query):
    with pytest.raises(ValidationError, match="not a JMESPath expression"):
        Http(url="http://x.example/", expect_query=query)
