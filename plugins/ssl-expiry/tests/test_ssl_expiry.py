import asyncio
import datetime as dt
import socket
import ssl
import threading
from contextlib import contextmanager

import pytest
import trustme
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from healthkit import Status, load_settings
from healthkit_ssl_expiry import SslExpiry
from healthkit_ssl_expiry.evaluation import Certificate, Refusal, SeenChain, evaluate

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY = dt.timedelta(days=1)


# Real servers


def accepting(listener, serve):
    """Serves every connection, one after another, until the listener is closed."""

    def run():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with connection:
                    connection.settimeout(5)
                    serve(connection)
            except OSError:
                pass  # a client that refuses the chain hangs up: that is what is tried here

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@contextmanager
def listening(serve):
    """The port of a loopback server that calls `serve(connection)`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = accepting(listener, serve)
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def tls(context):
    def serve(connection):
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)

    return serve


def script(context, *exchanges):
    """Says what it has to say, and starts TLS once it has heard what it waits for."""

    def serve(connection):
        for heard, said in exchanges:
            received = b""
            while len(received) < len(heard):
                received += connection.recv(len(heard) - len(received)) or b"\xff"
            assert received == heard, received
            connection.sendall(said)
        if context is not None:
            tls(context)(connection)

    return serve


def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority, tmp_path_factory):
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return file


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


# Chains of one's own making, with dates that trustme cannot choose


def made(name, end, key, signer=None, signer_key=None, *, ca=False, hosts=None):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 100 * DAY)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if alternatives := [x509.DNSName(host) for host in ([name] if hosts is None else hosts)]:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(signer_key or key, hashes.SHA256())


def chain_context(tmp_path, key, *chain):
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for certificate in chain:
        pem += certificate.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "chain.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem")
    return context


@pytest.fixture
def keys():
    return [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]


@pytest.mark.parametrize(
    ("left", "status", "message"),
    [
        (12, Status.DEGRADED, "the intermediate Middle CA expires in 12 days"),
        (-2, Status.UNHEALTHY, "the intermediate Middle CA expired 2 days ago"),
    ],
)
def test_an_intermediate_that_ends_before_the_leaf_is_what_counts(
    tmp_path, keys, run_check, left, status, message
):
    root_key, middle_key, leaf_key = keys
    root = made("Root CA", NOW + 900 * DAY, root_key, ca=True)
    middle = made("Middle CA", NOW + left * DAY, middle_key, root, root_key, ca=True)
    leaf = made("pos.example", NOW + 90 * DAY, leaf_key, middle, middle_key)
    (tmp_path / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    with listening(tls(chain_context(tmp_path, leaf_key, leaf, middle))) as port:
        check = SslExpiry(
            host=f"127.0.0.1:{port}", server_name="pos.example", ca_file=tmp_path / "root.pem"
        )
        outcome = run_check(check, now=NOW)
    assert outcome.status is status
    assert outcome.message == f"{message} ({NOW + left * DAY:%Y-%m-%d})"
    assert outcome.details["days_left"] == left
    assert outcome.details["subject"] == "CN=Middle CA"


@pytest.fixture
def judged(tmp_path, run_check):
    """What the check says of a server that serves such a chain, by trust in one anchor."""

    def run(key, *served, anchor, name="pos.example", server=None, starttls=None):
        context = chain_context(tmp_path, key, *served)
        (tmp_path / "root.pem").write_bytes(anchor.public_bytes(serialization.Encoding.PEM))
        with (server or (lambda context: listening(tls(context))))(context) as port:
            check = SslExpiry(
                host=f"127.0.0.1:{port}",
                server_name=name,
                ca_file=tmp_path / "root.pem",
                starttls=starttls,
            )
            return run_check(check, now=NOW)

    return run


BY_STARTTLS = [(None, None), ("smtp", lambda context: smtp_server(context))]


@pytest.mark.parametrize(("starttls", "server"), BY_STARTTLS)
def test_an_expired_cross_signed_certificate_beside_the_path_is_no_fault(
    judged, keys, starttls, server
):
    root_key, old_key, leaf_key = keys
    old = made("Old Root", NOW - 5 * DAY, old_key, ca=True)
    root = made("Root CA", NOW + 900 * DAY, root_key, ca=True)
    crossed = made("Root CA", NOW - 5 * DAY, root_key, old, old_key, ca=True)
    leaf = made("pos.example", NOW + 90 * DAY, leaf_key, root, root_key)
    how = {"anchor": root, "starttls": starttls, "server": server}
    outcome = judged(leaf_key, leaf, crossed, **how)
    assert (outcome.status, outcome.details["days_left"]) == (Status.HEALTHY, 90)
    refused = judged(leaf_key, leaf, crossed, name="other.example", **how)
    assert refused.message == "the certificate is for pos.example, not for other.example"
    assert refused.details["days_left"] == 90


@pytest.mark.parametrize(("starttls", "server"), BY_STARTTLS)
@pytest.mark.parametrize(("left", "words"), [(2, "expires in 2 days"), (-3, "expired 3 days ago")])
def test_an_anchor_that_ends_is_a_fault_though_it_is_not_served(
    judged, keys, left, words, starttls, server
):
    root_key, _, leaf_key = keys
    root = made("Root CA", NOW + left * DAY, root_key, ca=True)
    leaf = made("pos.example", NOW + 90 * DAY, leaf_key, root, root_key)
    outcome = judged(leaf_key, leaf, anchor=root, starttls=starttls, server=server)
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == f"the CA Root CA {words} ({NOW + left * DAY:%Y-%m-%d})"
    assert outcome.details["days_left"] == left


def test_of_an_expired_chain_only_the_likely_path_is_blamed(judged, keys):
    root_key, old_key, leaf_key = keys
    old = made("Old Root", NOW - 50 * DAY, old_key, ca=True)
    root = made("Root CA", NOW + 900 * DAY, root_key, ca=True)
    crossed = made("Root CA", NOW - 50 * DAY, root_key, old, old_key, ca=True)
    namesake = made("Root CA", NOW - 60 * DAY, old_key, ca=True)
    leaf = made("pos.example", NOW - 2 * DAY, leaf_key, root, root_key)
    outcome = judged(leaf_key, leaf, crossed, old, namesake, anchor=root)
    assert outcome.message.startswith("the certificate expired 2 days ago (")
    assert outcome.details["days_left"] == -2


@pytest.mark.parametrize(
    ("host", "name", "matches"),
    [
        ("*.shop.example", "pos.shop.example", True),
        ("*.shop.example", "xn--caf-dma.shop.example", True),
        ("*.SHOP.example", "POS.shop.example", True),
        ("*.shop.example", "shop.example", False),
        ("*.shop.example", "a.pos.shop.example", False),
        ("p*.shop.example", "pos.shop.example", False),
        ("*s.shop.example", "pos.shop.example", False),
        ("p*s.shop.example", "pos.shop.example", False),
        ("pos.*.example", "pos.shop.example", False),
        ("*.*.example", "pos.shop.example", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("*.0.0.1", "127.0.0.1", False),
        (None, "pos.example", False),
    ],
)
def test_names_are_matched_by_rfc_9525_and_the_common_name_never(judged, keys, host, name, matches):
    root_key, _, leaf_key = keys
    root = made("Root CA", NOW + 900 * DAY, root_key, ca=True)
    hosts = [host] if host else []
    leaf = made("pos.example", NOW + 90 * DAY, leaf_key, root, root_key, hosts=hosts)
    outcome = judged(leaf_key, leaf, anchor=root, name=name)
    assert outcome.status is (Status.HEALTHY if matches else Status.UNHEALTHY), outcome.message
    if host is None:
        assert "names no host" in outcome.message


@pytest.mark.parametrize(
    ("name", "ascii_name"),
    [
        ("straße.example", "xn--strae-oqa.example"),  # by IDNA 2003 it were strasse.example
        ("faß.example", "xn--fa-hia.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("نامه\u200cای.example", "xn--mgba3gch31f060k.example"),
        ("warung.例え", "warung.xn--r8jz45g"),
        ("pos.example.", "pos.example"),
        ("_tls.pos.example", "_tls.pos.example"),
    ],
)
def test_a_name_is_asked_for_and_matched_by_idna_2008(judged, keys, name, ascii_name):
    root_key, _, leaf_key = keys
    root = made("Root CA", NOW + 900 * DAY, root_key, ca=True)
    leaf = made("x", NOW + 90 * DAY, leaf_key, root, root_key, hosts=[ascii_name])
    asked = []

    def server(context):
        context.sni_callback = lambda _, given, __: asked.append(given)
        return listening(tls(context))

    outcome = judged(leaf_key, leaf, anchor=root, name=name, server=server)
    assert outcome.status is Status.HEALTHY, outcome.message
    assert asked == [ascii_name]


def test_a_self_signed_certificate_is_told_as_that(tmp_path, keys, run_check):
    leaf = made("pos.example", NOW + 90 * DAY, keys[0])
    with listening(tls(chain_context(tmp_path, keys[0], leaf))) as port:
        check = SslExpiry(host=f"127.0.0.1:{port}", server_name="pos.example")
        outcome = run_check(check, now=NOW)
    assert outcome.message == "the certificate is self-signed"
    assert outcome.details["days_left"] == 90


def test_a_refusal_that_has_no_words_of_ours_is_told_in_openssls():
    outcome = evaluate(
        SeenChain((), Refusal(23, "certificate revoked.")), "a", NOW, 30 * DAY, 7 * DAY
    )
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == "the certificate is refused: certificate revoked"


# STARTTLS


@contextmanager
def smtp_server(context):
    """Runs on a loop of another thread: this one may have its own, a browser's for example."""
    loop = asyncio.new_event_loop()

    def protocol():
        return SMTP(Sink(), tls_context=context, require_starttls=True, loop=loop)

    def on_loop(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        server = on_loop(loop.create_server(protocol, "127.0.0.1", 0))
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            on_loop(_ended(server))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended(server):
    server.close()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


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
