"""One send to a real service on loopback, and what is known of it afterwards."""

import email
import email.policy
import logging
import re
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr

from healthkit._alerts import apprise_client
from healthkit._alerts.messages import Message
from healthkit._alerts.send_result import SendStatus
from healthkit._config import alert_tables, service_tables
from healthkit._config.alert_tables import ChannelSettings
from healthkit._plugins import PluginManager
from healthkit.testing import DISCORD, TELEGRAM, StubResponse

MESSAGE = Message(
    "🔴 Backend <Health> is DOWN", ("URL: https://pos.example/a_b?c=1&d=2", "Error: <x> *y* _z_")
)
TOKEN = "AABBCCDDEEFFGGHHIIJJKKLLMMNNOOPPQQR"


def test_telegram_gets_html_that_says_what_was_meant(telegram):
    assert apprise_client.send(TELEGRAM, MESSAGE).status is SendStatus.SENT
    (request,) = telegram.requests
    assert request.path == f"/bot123456789:{TOKEN}/sendMessage"
    body = request.json()
    assert (body["parse_mode"], body["chat_id"]) == ("HTML", 987654321)
    assert body["text"].replace("\r", "") == (
        "<b>🔴 Backend &lt;Health&gt; is DOWN</b>\n"
        "URL: https://pos.example/a_b?c=1&amp;d=2\n"
        "Error: &lt;x&gt; *y* _z_"
    )


def test_discord_gets_the_message_as_its_content(discord):
    assert apprise_client.send(DISCORD, MESSAGE).status is SendStatus.SENT
    text = discord.requests[0].json()["content"]
    assert text.replace("\r", "").splitlines() == [MESSAGE.title, *MESSAGE.lines]


@pytest.mark.parametrize(("address", "limit"), [("telegram", 4096), ("discord", 2000)])
def test_a_long_message_keeps_within_the_services_limit(request, address, limit):
    sink = request.getfixturevalue(address)
    url = TELEGRAM if address == "telegram" else DISCORD
    apprise_client.send(url, Message("Title", ("a <b> & " * 2000,)))
    (sent,) = sink.requests
    body = sent.json()
    text = body.get("text") or body["content"]
    assert limit // 2 < len(text) <= limit
    assert "…" in text


@pytest.mark.parametrize("address", ["telegram", "discord"])
def test_429_ends_the_send_at_once_and_tells_how_long_to_wait(request, address):
    sink = request.getfixturevalue(address)
    url = TELEGRAM if address == "telegram" else DISCORD
    said = {"description": "Too Many Requests: retry after 33", "retry_after": 33}
    sink.answers(429, said, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"})
    answer = apprise_client.send(url, MESSAGE)
    assert answer.status is SendStatus.REFUSED
    assert answer.reason == "HTTP 429: Too Many Requests: retry after 33"
    assert answer.retry_after.total_seconds() == 33
    assert len(sink.requests) == 1, "the plugin does not try again by itself"


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, {}, 7),
        ({}, {"parameters": {"retry_after": 5}}, 5),
        ({"Retry-After": "3"}, {"parameters": {"retry_after": 5}}, 5),
        ({"Retry-After": "999999"}, {}, 86400),
        ({"Retry-After": "soon"}, {}, None),
        ({"Retry-After": "-4"}, {}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, {}, None),
        ({}, ["no", "object"], None),
    ],
)
def test_how_long_to_wait_is_read_from_the_header_or_the_body(telegram, headers, body, seconds):
    telegram.answers(503, body, headers)
    wait = apprise_client.send(TELEGRAM, MESSAGE).retry_after
    assert (wait and wait.total_seconds()) == seconds


@pytest.mark.parametrize(
    ("status", "body", "words", "unsendable"),
    [
        (400, {"description": "Bad Request: can't parse"}, "HTTP 400: Bad Request: can't parse", 1),
        (401, {"description": "Unauthorized"}, "HTTP 401: Unauthorized", 0),
        (500, b"oops", "HTTP 500: oops", 0),
        (502, b"<html><body>Bad Gateway</body></html>", "HTTP 502", 0),
    ],
)
def test_a_refusal_is_told_in_the_services_own_words(telegram, status, body, words, unsendable):
    telegram.answers(status, body)
    answer = apprise_client.send(TELEGRAM, MESSAGE)
    assert (answer.status, answer.reason) == (SendStatus.REFUSED, words)
    assert answer.permanent is bool(unsendable)


def test_no_secret_of_an_address_is_in_what_is_told_or_logged(telegram, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("apprise").propagate = True  # as whoever sets up logging may do
    telegram.answers(500, f"no bot {TOKEN} at /bot123456789:{TOKEN}/sendMessage".encode())
    told = apprise_client.send(TELEGRAM, MESSAGE).reason + apprise_client.masked_url(TELEGRAM)
    telegram.stop()
    told += apprise_client.send(TELEGRAM, MESSAGE).reason
    broken = {"x": ChannelSettings(url=SecretStr(f"tgram://{TOKEN}"))}
    told += apprise_client.url_problems(broken)[0].message
    assert TOKEN not in told
    assert not logging.getLogger("apprise").propagate
    ours = [record.getMessage() for record in caplog.records if record.name != "apprise"]
    assert TOKEN not in "".join(ours)


def test_a_service_that_nobody_answers_for_is_not_reached(telegram):
    telegram.stop()
    answer = apprise_client.send(TELEGRAM, MESSAGE)
    assert (answer.status, answer.reason) == (SendStatus.UNREACHED, "Connection refused")


def test_a_service_that_takes_too_long_timed_out(telegram):
    release = threading.Event()
    telegram.respond_with(
        lambda request: StubResponse(200, b"{}") if release.wait(60) else StubResponse()
    )
    answer = apprise_client.send(f"{TELEGRAM}?rto=0.2", MESSAGE)
    release.set()
    assert answer.status is SendStatus.TIMED_OUT


def test_what_forbids_a_request_is_raised_and_nothing_is_sent(telegram):
    calls = []

    def forbid_the_second():
        calls.append(1)
        if len(calls) == 2:
            raise PermissionError

    with pytest.raises(PermissionError):
        apprise_client.send(TELEGRAM, MESSAGE, before=forbid_the_second)
    assert telegram.requests == []


def test_an_address_of_another_service_is_asked_for_nothing_that_is_not_of_it(telegram):
    import requests

    telegram.answers(429, {})
    answer = requests.post(telegram.url("/x"), data=b"", timeout=5)
    assert answer.status_code == 429, "requests of others pass through untouched"


DOCS = Path(__file__).parent.parent


def test_every_address_of_the_page_on_channels_is_understood():
    page = (DOCS / "docs" / "channels" / "index.md").read_text()
    addresses = re.findall(r"^\| .* \| `(\w+://\S+)` \|$", page, re.MULTILINE)
    addresses = [one for one in addresses if "fonnte" not in one]  # its plugin tests that one
    assert len(addresses) >= 7
    PluginManager().register_each("healthkit_channel_types", apprise_client.register)
    given = {f"c{i}": ChannelSettings(url=SecretStr(url)) for i, url in enumerate(addresses)}
    assert apprise_client.url_problems(given) == []


@pytest.mark.parametrize(
    "model",
    [
        alert_tables.ChannelSettings,
        alert_tables.RouteSettings,
        alert_tables.AlertSettings,
        alert_tables.MaintenanceSettings,
        service_tables.WatchSettings,
        alert_tables.MessageSettings,
        service_tables.CheckSettings,
    ],
)
def test_every_key_is_in_the_reference(model):
    reference = (DOCS / "CONFIGURATION.md").read_text()
    assert [name for name in model.model_fields if f"| `{name}` |" not in reference] == []


# Mail


class Inbox:
    """Takes mail only over TLS and only from who signs in with `password`."""

    def __init__(self):
        self.mails = []
        self.refuses = None

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  aiosmtpd's name
        if self.refuses:
            return self.refuses
        assert session.ssl is not None
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


def authenticate(server, session, envelope, mechanism, login):
    return AuthResult(success=login.password == b"password", handled=False)


@pytest.fixture
def mailbox(monkeypatch, tmp_path):
    """A mail server with STARTTLS whose certificate is trusted."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    inbox = Inbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        inbox.port = probe.getsockname()[1]
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=inbox.port,
        tls_context=context,
        require_starttls=True,
        authenticator=authenticate,
        auth_require_tls=True,
    )
    controller.start()
    yield inbox
    controller.stop()


def mail(inbox, password="password"):
    return (
        f"mailtos://pos:{password}@localhost:{inbox.port}/?mode=starttls"
        "&from=pos@example.com&to=boss@example.com"
    )


def test_mail_goes_over_starttls_with_the_title_as_its_subject(mailbox):
    assert apprise_client.send(mail(mailbox), MESSAGE).status is SendStatus.SENT
    (message,) = mailbox.mails
    assert message["Subject"] == MESSAGE.title
    assert message["To"] == "boss@example.com"
    body = message.get_body().get_content()
    assert body.splitlines()[: len(MESSAGE.lines)] == list(MESSAGE.lines)


def test_a_wrong_password_is_a_refusal_that_does_not_repeat_it(mailbox):
    answer = apprise_client.send(mail(mailbox, "sesame99"), MESSAGE)
    assert answer.status is SendStatus.REFUSED
    assert "535" in answer.reason
    assert "sesame99" not in answer.reason
    assert mailbox.mails == []


def test_a_mail_server_that_refuses_the_mail_says_why(mailbox):
    mailbox.refuses = "554 5.7.1 looks like spam"
    answer = apprise_client.send(mail(mailbox), MESSAGE)
    assert answer.status is SendStatus.REFUSED
    assert "looks like spam" in answer.reason


def test_a_mail_server_whose_certificate_nobody_vouches_for_gets_nothing(mailbox, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    answer = apprise_client.send(mail(mailbox), MESSAGE)
    assert answer.status is SendStatus.UNREACHED
    assert "certificate" in answer.reason.lower()
    assert mailbox.mails == []


def test_an_answer_that_never_ends_is_read_to_a_bound_and_the_message_has_arrived():
    """A service, or whoever took its place, would fill the watcher's memory otherwise."""
    sent = []

    def flood(server):
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while sum(sent) < 50_000_000:
                sent.append(connection.send(b"x" * 65_536))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=flood, args=(server,))
        thread.start()
        url = f"json://127.0.0.1:{server.getsockname()[1]}"
        assert apprise_client.send(url, MESSAGE).status is SendStatus.SENT
        thread.join()
    assert sum(sent) < 20_000_000, "what is on its way in the system's buffers besides"
