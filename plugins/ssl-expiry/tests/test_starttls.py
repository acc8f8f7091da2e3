"""TLS that begins by STARTTLS: each protocol in its own words, and a server without it."""

import pytest

from healthkit import Status
from healthkit_ssl_expiry import SslExpiry

from .tls_servers import DAY, NOW, listening, script, server_context, smtp_server


def test_a_mail_server_shows_its_certificate_after_starttls(authority, ca_file, run_check):
    certificate = authority.issue_cert("127.0.0.1", not_after=NOW + 12 * DAY)
    with smtp_server(server_context(certificate)) as port:
        check = SslExpiry(host=f"127.0.0.1:{port}", starttls="smtp", ca_file=ca_file)
        outcome = run_check(check, now=NOW)
    assert outcome.status is Status.DEGRADED
    assert outcome.details["days_left"] == 12


CONVERSATIONS = {
    "smtp": [
        (b"", b"220-mail\r\n220 ready\r\n"),
        (b"EHLO healthkit\r\n", b"250-mail\r\n250-STARTTLS\r\n250 OK\r\n"),
        (b"STARTTLS\r\n", b"220 go\r\n"),
    ],
    "imap": [(b"", b"* OK IMAP4rev2\r\n"), (b"a STARTTLS\r\n", b"* OK wait\r\na OK go\r\n")],
    "pop3": [(b"", b"+OK POP3\r\n"), (b"STLS\r\n", b"+OK\r\n")],
    "ftp": [(b"", b"220-hello\r\n220\r\n"), (b"AUTH TLS\r\n", b"234 go\r\n")],
    "postgres": [(bytes.fromhex("0000000804d2162f"), b"S")],
}
REFUSALS = {
    "smtp": b"454 TLS not available\r\n",
    "imap": b"a BAD unknown\r\n",
    "pop3": b"-ERR unknown\r\n",
    "ftp": b"502 no\r\n",
    "postgres": b"N",
}


@pytest.mark.parametrize("protocol", CONVERSATIONS)
def test_every_protocol_changes_to_tls_in_its_own_words(protocol, authority, ca_file, run_check):
    context = server_context(authority.issue_cert("127.0.0.1", not_after=NOW + 90 * DAY))
    with listening(script(context, *CONVERSATIONS[protocol])) as port:
        check = SslExpiry(host=f"127.0.0.1:{port}", starttls=protocol, ca_file=ca_file)
        outcome = run_check(check, now=NOW)
    assert (outcome.status, outcome.details["days_left"]) == (Status.HEALTHY, 90)


@pytest.mark.parametrize("protocol", REFUSALS)
def test_a_server_without_starttls_is_told_with_what_it_answered(protocol, run_check):
    refused = REFUSALS[protocol]
    *before, (last, _) = CONVERSATIONS[protocol]
    with listening(script(None, *before, (last, refused))) as port:
        outcome = run_check(SslExpiry(host=f"127.0.0.1:{port}", starttls=protocol))
    said = refused.decode().strip()
    assert outcome.message == f"the server does not offer TLS by {protocol}: {said}"
