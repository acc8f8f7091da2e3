"""The check of a real server's certificate, faults of its connection, and its settings."""

import datetime as dt
import socket
import threading

import pytest
import trustme
from pydantic import ValidationError

from healthkit import Status, load_settings
from healthkit_ssl_expiry import SslExpiry
from healthkit_ssl_expiry.evaluation import Certificate, SeenChain, evaluate

from .tls_servers import DAY, NOW, listening, server_context, tls


@pytest.fixture
def seen(authority, ca_file, run_check):
    """What the check says of a server with such a certificate."""

    def run(*names, now=NOW, by=authority, keys=None, **dates):
        context = server_context(by.issue_cert(*(names or ("127.0.0.1",)), **dates))
        with listening(tls(context)) as port:
            check = SslExpiry(**{"host": f"127.0.0.1:{port}", "ca_file": ca_file, **(keys or {})})
            return run_check(check, now=now)

    return run


# What is found


def test_a_certificate_with_time_left_is_healthy_and_told_with_its_dates(seen):
    outcome = seen(not_after=NOW + 62 * DAY, common_name="pos.example")
    assert outcome.status is Status.HEALTHY
    assert outcome.message == f"the certificate expires in 62 days ({NOW + 62 * DAY:%Y-%m-%d})"
    assert outcome.details["days_left"] == 62
    assert outcome.details["expires_at"] == NOW + 62 * DAY
    assert outcome.details["expires_at"].tzinfo is not None
    assert "CN=pos.example" in outcome.details["subject"]
    assert "trustme" in outcome.details["issuer"]


@pytest.mark.parametrize(
    ("left", "status", "days"),
    [
        (30 * DAY, Status.HEALTHY, 30),
        (30 * DAY - dt.timedelta(seconds=1), Status.DEGRADED, 29),
        (7 * DAY, Status.DEGRADED, 7),
        (7 * DAY - dt.timedelta(seconds=1), Status.UNHEALTHY, 6),
        (dt.timedelta(hours=1), Status.UNHEALTHY, 0),
        (-dt.timedelta(hours=1), Status.UNHEALTHY, -1),
    ],
)
def test_days_left_decide_at_their_limits(left, status, days):
    chain = (Certificate("CN=a", "CN=b", "a", NOW - DAY, NOW + left),)
    outcome = evaluate(SeenChain(chain), "a", NOW, 30 * DAY, 7 * DAY)
    assert (outcome.status, outcome.details["days_left"]) == (status, days)


def test_the_last_days_of_a_real_certificate_are_told(seen):
    end = NOW + 100 * DAY
    outcome = seen(not_after=end, now=end - 12 * DAY)
    assert outcome.status is Status.DEGRADED
    assert outcome.message == f"the certificate expires in 12 days ({end:%Y-%m-%d})"
    assert seen(not_after=end, now=end - DAY).message.startswith(
        "the certificate expires in 1 day ("
    )
    assert "expires within a day" in seen(not_after=end, now=end - DAY / 2).message


def test_an_expired_certificate_is_told_with_its_age(seen):
    outcome = seen(not_before=NOW - 90 * DAY, not_after=NOW - 3 * DAY)
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == f"the certificate expired 3 days ago ({NOW - 3 * DAY:%Y-%m-%d})"
    assert outcome.details["days_left"] == -3


def test_a_certificate_that_is_not_yet_valid_is_told_as_that(seen):
    outcome = seen(not_before=NOW + 2 * DAY, not_after=NOW + 90 * DAY)
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == f"the certificate is not valid before {NOW + 2 * DAY:%Y-%m-%d}"
    assert outcome.details["days_left"] == 90


def test_a_certificate_for_another_host_names_both(seen):
    outcome = seen("other.example", "www.other.example", not_after=NOW + 90 * DAY)
    assert outcome.status is Status.UNHEALTHY
    assert (
        outcome.message
        == "the certificate is for other.example, www.other.example, not for 127.0.0.1"
    )
    assert outcome.details["days_left"] == 90


def test_the_server_name_is_asked_for_and_checked_in_place_of_the_host(seen):
    named = {"keys": {"server_name": "other.example"}}
    assert seen("other.example", **named).status is Status.HEALTHY
    assert "not for other.example" in seen("127.0.0.1", **named).message


def test_a_chain_without_a_trusted_ca_is_refused_and_still_read(seen):
    outcome = seen(by=trustme.CA(), not_after=NOW + 90 * DAY)
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == "the chain does not end at a trusted CA, or lacks an intermediate"
    assert outcome.details["days_left"] == 90
    assert seen(keys={"ca_file": None}).message == outcome.message


# What goes wrong


def test_faults_of_the_connection_are_told_apart(run_check):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        host = f"127.0.0.1:{mute.getsockname()[1]}"
        for protocol in (None, "smtp"):
            check = SslExpiry(host=host, starttls=protocol)
            assert run_check(check, timeout=0.2).message == "no answer within 0.2s"
    assert run_check(SslExpiry(host=host)).message == "connection refused"
    assert run_check(SslExpiry(host="no-such-host.invalid")).message == "host name not known"
    with listening(lambda connection: connection.sendall(b"220 plain text\r\n")) as port:
        assert run_check(SslExpiry(host=f"127.0.0.1:{port}")).message == "no TLS is spoken there"
    with listening(lambda connection: None) as port:
        outcome = run_check(SslExpiry(host=f"127.0.0.1:{port}", starttls="smtp"))
        assert outcome.message == "the server closed the connection"


def test_a_server_that_drips_its_greeting_does_not_outlive_the_timeout(run_check):
    gone = threading.Event()

    def drip(connection):
        while not gone.wait(0.02):
            connection.sendall(b"2")

    with listening(drip) as port:
        outcome = run_check(SslExpiry(host=f"127.0.0.1:{port}", starttls="smtp"), timeout=0.3)
        gone.set()
    assert outcome.message == "no answer within 0.3s"


# Settings


@pytest.mark.parametrize(
    ("host", "starttls", "target"),
    [
        ("your-domain.com", None, "your-domain.com"),
        ("your-domain.com:443", None, "your-domain.com"),
        ("your-domain.com:8443", None, "your-domain.com:8443"),
        ("mail.x:25", "smtp", "mail.x"),
        ("mail.x:587", "smtp", "mail.x:587"),
        ("[::1]:443", None, "::1"),
        ("[::1]:8443", None, "[::1]:8443"),
    ],
)
def test_the_target_is_the_host_as_people_know_it(host, starttls, target):
    assert SslExpiry(host=host, starttls=starttls).target() == target


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ({"host": "https://your-domain.com/"}, "host", "is not a host"),
        ({"host": "your-domain.com:0"}, "host", "is not a host"),
        ({"host": "::1"}, "host", "is not a host"),
        ({"host": ""}, "host", "is not a host"),
        ({"host": 443}, "host", "is not a host"),
        ({"host": "a..b:443"}, "host", "is no host name"),
        ({"host": "a" * 64 + ".example"}, "host", "is no host name"),
        ({"server_name": "a\0b"}, "server_name", "is no host name"),
        ({"host": "☃.example"}, "host", "no host name by IDNA 2008"),
        ({"server_name": "ا1b.example"}, "server_name", "no host name by IDNA 2008"),
        ({"warn": "5d"}, "fail", "must be less than warn"),
        ({"fail": "40d"}, "fail", "must be less than warn"),
        ({"fail": "soon"}, "fail", "is not a duration"),
        ({"starttls": "gopher"}, "starttls", "'smtp', 'imap', 'pop3', 'ftp' or 'postgres'"),
        ({"ca_file": "/no/such.pem"}, "ca_file", "/no/such.pem: No such file"),
        ({"ca_file": __file__}, "ca_file", "holds no certificate"),
        ({"port": 443}, "port", "Extra inputs"),
    ],
)
def test_a_mistake_names_its_key(keys, key, message):
    with pytest.raises(ValidationError) as caught:
        SslExpiry(**{"host": "x", **keys})
    (fault,) = caught.value.errors()
    assert fault["loc"] == (key,)
    assert message in fault["msg"]


def test_the_installed_plugin_answers_for_its_type():
    table = {"type": "ssl-expiry", "host": "your-domain.com:443", "warn": "30d", "fail": "7d"}
    document = {"service": {"name": "x"}, "checks": {"certificate": table}}
    (configured,) = load_settings(document, environ={}).checks
    assert isinstance(configured.check, SslExpiry)
    assert configured.info.target == "your-domain.com"
