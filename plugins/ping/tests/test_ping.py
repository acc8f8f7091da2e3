import socket
import struct
import time
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

import healthkit_ping
from healthkit import Health, Status, load_settings
from healthkit_ping import FORBIDDEN, Ping, echo, evaluate, fault_of

README = Path(__file__).parent.parent / "README.md"


def allowed():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
    except OSError:
        return False
    return True


def test_this_machine_answers_or_it_is_said_that_it_may_not_be_asked(run_check):
    found = run_check(Ping(host="127.0.0.1"))
    if not allowed():
        assert (found.status, found.message) == (Status.UNHEALTHY, FORBIDDEN)
        return
    assert found.status is Status.HEALTHY
    assert found.details["loss_percent"] == 0
    assert found.details["round_trip_seconds"] >= 0


def test_where_it_is_not_allowed_it_says_what_to_do(run_check, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(healthkit_ping.socket, "socket", refuse)
    found = run_check(Ping(host="127.0.0.1"))
    assert (found.status, found.message) == (Status.UNHEALTHY, FORBIDDEN)


class Wire:
    """A socket that answers as it is told, and keeps what was sent."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = b""

    def sendto(self, packet, place):
        self.sent = packet

    def settimeout(self, seconds):
        assert seconds > 0

    def recv(self, size):
        if not self.answers:
            raise TimeoutError
        return self.answers.pop(0)(self.sent)


def reply(packet):
    return struct.pack("!BB", 0, 0) + packet[2:]


@pytest.mark.parametrize(
    ("answers", "answered"),
    [
        ([reply], True),
        ([], False),
        ([lambda p: b""], False),
        ([lambda p: b"\0" * 1024, reply], True),  # another's, then ours
        ([lambda p: reply(p)[:-1] + b"x"], False),
        ([lambda p: p], False),  # our own request
    ],
)
def test_only_the_reply_to_this_request_counts(answers, answered):
    wire = Wire(*answers)
    took = echo(wire, socket.AF_INET, ("192.0.2.1", 0), 7, time.monotonic() + 20)
    assert (took is not None) is answered
    assert struct.unpack("!BBHHH", wire.sent[:8]) == (8, 0, 0, 0, 7)


@pytest.mark.parametrize(
    ("times", "status", "said"),
    [
        ([], Status.UNHEALTHY, "no answer: it is down, or drops ICMP"),
        ([0.01], Status.DEGRADED, "2 of 3 were not answered"),
        ([0.01, 0.05, 9.0], Status.HEALTHY, None),
        ([0.01, 0.051, 9.0], Status.DEGRADED, "slow: 0.051 s, at most 0.05 s are expected"),
    ],
)
def test_round_trips_are_judged_by_their_median(times, status, said):
    found = evaluate(times, 3, 0.05)
    assert (found.status, found.message) == (status, said)
    assert found.details["loss_percent"] == round(100 * (3 - len(times)) / 3, 1)


@pytest.mark.parametrize("host", ["", " ", "a b", "-f", "http://x", "a@b", "x" * 254, "a\0"])
def test_a_host_that_is_none_is_a_mistake(host):
    with pytest.raises(ValidationError):
        Ping(host=host)


def test_a_name_that_nobody_knows_says_so(run_check):
    found = run_check(Ping(host="no-such-host.invalid"))
    assert found.message == "the name of the host is not known"
    assert fault_of(OSError(101, "Network is unreachable")) == (
        "nothing can be sent: Network is unreachable"
    )


def test_the_example_of_the_readme_runs(tmp_path):
    example = README.read_text().partition("```toml\n")[2].partition("```")[0]
    document = {
        **tomllib.loads(example),
        "service": {"name": "Example"},
        "store": {"url": f"sqlite:///{tmp_path}/store.db"},
    }
    health = Health(load_settings(document, environ={}))
    outcome = health.check_once().result("router").outcome
    assert outcome.status is not Status.UNHEALTHY or outcome.message == FORBIDDEN
    health.stop()
