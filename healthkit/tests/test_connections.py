"""Connections of checks, and the time that each address of a host may take."""

import socket
import time
from contextlib import ExitStack

import pytest

from healthkit.connections import connect, share_time, time_left


@pytest.fixture
def names(monkeypatch):
    """Gives `many.example` the addresses that it is called with."""
    real = socket.getaddrinfo

    def give(*addresses):
        def look_up(host, *more, **named):
            hosts = addresses if host == "many.example" else [host]
            return [place for host in hosts for place in real(host, *more, **named)]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return give


@pytest.fixture
def silent():
    """The port at which 127.0.0.2 does not answer: its queue is full."""
    with ExitStack() as opened:
        listening = opened.enter_context(socket.socket())
        listening.bind(("127.0.0.2", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def test_all_addresses_of_a_host_share_one_deadline(names, silent):
    names(*["127.0.0.2"] * 20)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        connect("many.example", silent, began + 0.2)
    assert time.monotonic() - began < 2


def test_an_address_that_is_silent_leaves_time_for_the_next(names, silent):
    names("127.0.0.2", "127.0.0.3")
    with socket.socket() as answers:
        answers.bind(("127.0.0.3", silent))
        answers.listen()
        with connect("many.example", silent, time.monotonic() + 1) as one:
            assert one.getpeername() == answers.getsockname()


def test_an_address_that_refuses_is_followed_by_the_next(names):
    names("127.0.0.2", "127.0.0.1")
    with socket.socket() as answers:
        answers.bind(("127.0.0.1", 0))
        answers.listen()
        with connect("many.example", answers.getsockname()[1], time.monotonic() + 60) as one:
            assert one.getpeername() == answers.getsockname()


def test_the_last_address_says_why_there_is_no_connection(names):
    names("127.0.0.2", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens at it
        with pytest.raises(ConnectionRefusedError):
            connect("many.example", taken.getsockname()[1], time.monotonic() + 60)


def test_each_address_has_an_equal_share_of_what_is_left():
    deadline = time.monotonic() + 60
    shares = [seconds for _, seconds in share_time("abc", deadline)]
    assert shares == pytest.approx([20, 30, 60], abs=1)


def test_after_its_deadline_there_is_no_time_left():
    with pytest.raises(TimeoutError, match="timed out"):
        time_left(time.monotonic() - 1)
