"""Whole chains, with dates that trustme cannot choose: the certificate blamed, and its names."""

import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from healthkit import Status
from healthkit_ssl_expiry import SslExpiry
from healthkit_ssl_expiry.evaluation import Refusal, SeenChain, evaluate

from .tls_servers import DAY, NOW, listening, smtp_server, tls


def made(name, end, key, signer=None, signer_key=None, *, ca=False, hosts=None, own=None):
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
    if own is not None:
        builder = builder.add_extension(own, critical=False)
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


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("odd", [b"\xa3\x02\x30\x00", b"\xa5\x05\xa1\x03\x0c\x01x"])
def test_names_of_a_kind_that_no_host_has_are_no_fault(tmp_path, keys, run_check, odd, trusted):
    """An X.400 address and an EDI party name (RFC 5280, 4.2.1.6) beside the host's name."""
    san = b"\x82\x0bpos.example" + odd
    own = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.5.29.17"), bytes([0x30, len(san)]) + san
    )
    leaf = made("pos.example", NOW + 90 * DAY, keys[0], ca=True, hosts=(), own=own)
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    with listening(tls(chain_context(tmp_path, keys[0], leaf))) as port:
        trust = {"ca_file": ca_file} if trusted else {}
        check = SslExpiry(host=f"127.0.0.1:{port}", server_name="pos.example", **trust)
        outcome = run_check(check, now=NOW)
    words = "the certificate expires in 90 days" if trusted else "the certificate is self-signed"
    assert outcome.message.startswith(words)
    assert outcome.details["days_left"] == 90


@pytest.mark.parametrize(
    ("trusted", "words"),
    [
        (True, "a certificate of the chain cannot be read"),
        (False, "the certificate is self-signed"),
    ],
)
def test_a_certificate_that_only_openssl_can_read_is_told_as_that(
    tmp_path, keys, run_check, trusted, words
):
    leaf = made("pos.example", NOW + 90 * DAY, keys[0], ca=True)
    der = leaf.public_bytes(serialization.Encoding.DER)
    odd = der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x00", 1)  # its version
    chain = chain_context(tmp_path, keys[0], leaf)
    pem = (tmp_path / "chain.pem").read_text().partition("-----BEGIN CERTIFICATE")[0]
    (tmp_path / "chain.pem").write_text(pem + ssl.DER_cert_to_PEM_cert(odd))
    chain.load_cert_chain(tmp_path / "chain.pem")
    (tmp_path / "ca.pem").write_text(ssl.DER_cert_to_PEM_cert(odd))
    with listening(tls(chain)) as port:
        trust = {"ca_file": tmp_path / "ca.pem"} if trusted else {}
        check = SslExpiry(host=f"127.0.0.1:{port}", server_name="pos.example", **trust)
        assert run_check(check, now=NOW).message == words


def test_a_refusal_that_has_no_words_of_ours_is_told_in_openssls():
    outcome = evaluate(
        SeenChain((), Refusal(23, "certificate revoked.")), "a", NOW, 30 * DAY, 7 * DAY
    )
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == "the certificate is refused: certificate revoked"
