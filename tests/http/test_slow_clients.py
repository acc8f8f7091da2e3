"""Clients that say nothing, or half a request, keep nobody else from being answered."""

import resource
import socket
from contextlib import ExitStack

import pytest

from healthkit.testing import ManualClock
from posapp.http.connections import Connections, Limits, SlowClient, address_group
from tests.http.raw import connect, read, request, send

HALVES = {
    "nothing": b"",
    "half a head": b"GET /livez HTTP/1.1\r\nHost: a\r\nX-A: ",
    "half a body": (
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b'Content-Length: 100\r\n\r\n{"user'
    ),
    "half a chunk": (
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n40\r\n{"
    ),
}
CROWD = 1100
LIMIT_OF_ONE_ADDRESS = Limits().per_address
SOON = 5.0
"""Seconds: less than any limit in time, so that it is not one of them that has made room."""


@pytest.fixture(scope="module")
def server(serve, database):
    return serve(database)


@pytest.mark.deep
@pytest.mark.slow
@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
@pytest.mark.parametrize("addresses", [1, 200], ids=["one address", "many addresses"])
def test_livez_is_answered_at_once_beside_1100_clients_that_are_silent(server, half, addresses):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2 * CROWD:
        pytest.skip("this machine allows too few open files")
    with ExitStack() as stack:
        for number in range(CROWD):
            sock = socket.socket()
            stack.callback(sock.close)
            sock.bind((f"127.0.1.{1 + number % addresses}", 0))
            sock.connect(("127.0.0.1", int(server.url.rpartition(":")[2])))
            sock.sendall(half)
        for _ in range(5):
            with connect(server.url) as asking:
                asking.settimeout(SOON)
                asking.sendall(request(b"/livez"))
                assert read(asking).status == 200
    errors = [line for line in server.lines() if line["level"] == "ERROR"]
    assert errors == []


class Line:
    """A guarded connection, with time that the test moves."""

    def __init__(self, table, client=("10.0.0.1", 1)):
        ours, self.client = socket.socketpair()
        self.client.settimeout(5)
        self.guarded = table.open(ours, client)

    def send(self, data):
        self.client.sendall(data)
        return self.guarded.recv(100)

    @property
    def ended(self):
        try:
            return self.guarded.recv(100) == b""
        except SlowClient:
            return True

    def close(self):
        self.client.close()
        self.guarded.close()


LIMITS = Limits(head=10, body=30, idle=65, per_address=3, total=6)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def table(clock):
    return Connections(LIMITS, clock.monotonic)


@pytest.fixture
def line(table):
    with ExitStack() as stack:

        def make(*client):
            made = Line(table, *client)
            stack.callback(made.close)
            return made

        yield make


def test_a_head_has_ten_seconds_from_its_first_byte_to_its_last(line, clock):
    client = line()
    assert client.send(b"GET") == b"GET"
    for _ in range(9):  # a byte a second buys no time
        clock.advance(1)
        assert client.send(b"x") == b"x"
    clock.advance(1)
    with pytest.raises(SlowClient, match="the head of the request has not come within 10 s"):
        client.send(b"x")


def test_who_has_sent_nothing_is_left_without_an_answer(line, clock):
    client = line()
    clock.advance(10)
    assert client.guarded.recv(100) == b""


def test_a_body_has_a_time_of_its_own(line, clock):
    client = line()
    client.send(b"POST")
    clock.advance(9)
    client.guarded.begin_body()
    clock.advance(29)
    assert client.send(b"{") == b"{"
    clock.advance(1)
    with pytest.raises(SlowClient, match="the body of the request has not come within 30 s"):
        client.send(b"}")


def test_between_requests_a_connection_may_rest_and_the_next_head_has_its_whole_time(line, clock):
    client = line()
    client.send(b"GET")
    client.guarded.begin_body()
    client.guarded.begin_idle()
    clock.advance(64)
    assert client.send(b"GET") == b"GET"
    clock.advance(9)
    assert client.send(b"x") == b"x"
    client.guarded.begin_body()
    client.guarded.begin_idle()
    clock.advance(65)
    assert client.guarded.recv(100) == b""


def test_one_connection_too_many_closes_the_one_that_has_been_waited_for_longest(line, clock):
    clients = []
    for _ in range(4):
        clients.append(line())
        clock.advance(1)
    assert clients[0].ended
    assert [client.guarded.evicted for client in clients] == [True, False, False, False]
    clients[1].send(b"G")  # a byte makes nobody young
    clients.append(line())
    assert [client.guarded.evicted for client in clients] == [True, True, False, False, False]


def test_half_a_request_that_has_to_go_is_told_so(line):
    first = line()
    first.send(b"GET")
    for _ in range(3):
        line()
    with pytest.raises(SlowClient, match="others needed the connection"):
        first.guarded.recv(100)


def test_a_request_under_way_is_never_closed_and_who_comes_too_late_is_refused(line):
    busy = [line() for _ in range(3)]
    for client in busy:
        client.guarded.begin_body()
    late = line()
    assert late.guarded.refused
    assert not any(client.guarded.evicted for client in busy)
    assert not line(("10.0.0.2", 1)).guarded.refused
    busy[0].close()
    assert not line().guarded.refused


def test_with_all_places_taken_it_is_the_largest_crowd_that_loses_one(line, clock):
    crowd = [line(("10.0.0.1", 1)) for _ in range(3)]
    others = [line((f"10.0.1.{number}", 1)) for number in range(3)]
    clock.advance(1)
    new = line(("10.0.2.1", 1))
    assert sum(client.guarded.evicted for client in crowd) == 1
    assert not any(client.guarded.evicted for client in [*others, new])


def test_a_closed_connection_makes_room_at_once(line):
    for _ in range(20):
        line().close()
    assert not line().guarded.refused


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_who_counts_as_one_client(one, other, same):
    assert (address_group(one) == address_group(other)) is same


@pytest.mark.deep
@pytest.mark.slow
def test_a_late_body_is_a_408_that_says_so(server):
    """Through gunicorn; what is late is known without waiting: others need the place."""
    with connect(server.url) as slow, ExitStack() as stack:
        slow.sendall(HALVES["half a body"])
        for _ in range(LIMIT_OF_ONE_ADDRESS + 1):
            stack.enter_context(connect(server.url))
        answer = read(slow)
    assert answer.status == 408
    assert answer.problem["request_id"] == answer.headers["X-Request-ID"]
    assert server.line(request_id=answer.headers["X-Request-ID"])["status_code"] == 408
    assert send(server.url, request(b"/livez")).status == 200
