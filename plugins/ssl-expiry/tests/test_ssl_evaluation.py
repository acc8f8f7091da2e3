"""What a chain of certificates is worth, without a server."""

from datetime import UTC, datetime, timedelta

import pytest

from healthkit import Status
from healthkit_ssl_expiry.evaluation import Certificate, Refusal, SeenChain, evaluate

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def certificate(left=90 * DAY, name="a", since=-DAY, issuer="root", names=()):
    return Certificate(f"CN={name}", f"CN={issuer}", name, NOW + since, NOW + left, names)


def found(*chain, code=None, text="?", name="pos.example"):
    refusal = None if code is None else Refusal(code, text)
    return evaluate(SeenChain(chain, refusal), name, NOW, 30 * DAY, 7 * DAY)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (2 * DAY, "expires in 2 days (2026-11-27)"),
        (DAY, "expires in 1 day (2026-11-26)"),
        (DAY - SECOND, "expires within a day (2026-11-26)"),
        (timedelta(0), "expires within a day (2026-11-25)"),
        (-SECOND, "expired less than a day ago (2026-11-25)"),
        (-DAY, "expired 1 day ago (2026-11-24)"),
        (-2 * DAY, "expired 2 days ago (2026-11-23)"),
    ],
)
def test_the_time_left_is_told_in_whole_days(left, words):
    assert found(certificate(left)).message == f"the certificate {words}"


@pytest.mark.parametrize(
    ("left", "status"),
    [
        (30 * DAY, Status.HEALTHY),
        (30 * DAY - SECOND, Status.DEGRADED),
        (7 * DAY, Status.DEGRADED),
        (7 * DAY - SECOND, Status.UNHEALTHY),
    ],
)
def test_exactly_the_days_of_a_limit_are_enough(left, status):
    assert found(certificate(left)).status is status


def test_what_ends_first_counts_wherever_it_stands_in_the_chain():
    leaf, middle = certificate(90 * DAY), certificate(12 * DAY, "Middle")
    outcome = found(leaf, middle, certificate(500 * DAY, "Root", issuer="Root"))
    assert outcome.status is Status.DEGRADED
    assert outcome.message == "the intermediate Middle expires in 12 days (2026-12-07)"
    assert outcome.details["days_left"] == 12
    assert outcome.details["subject"] == "CN=Middle"


def test_a_certificate_that_signed_itself_is_called_a_ca_when_it_is_not_the_servers():
    outcome = found(certificate(), certificate(3 * DAY, "Root", issuer="Root"))
    assert outcome.message == "the CA Root expires in 3 days (2026-11-28)"


def test_of_several_expired_the_one_that_ended_first_is_told():
    chain = [certificate(-2 * DAY), certificate(-5 * DAY, "Middle"), certificate(-DAY, "Root")]
    outcome = found(*chain, code=10)
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == "the intermediate Middle expired 5 days ago (2026-11-20)"


def test_a_refusal_counts_whatever_the_dates_say():
    assert found(certificate()).status is Status.HEALTHY
    for code in (2, 9, 10, 18, 19, 20, 21, 27, 62, 64, 99):
        assert found(certificate(), code=code).status is Status.UNHEALTHY


# The codes are OpenSSL's, x509_vfy.h: X509_V_ERR_…


def test_a_certificate_from_tomorrow_is_told_with_the_day_it_begins():
    early = certificate(since=DAY)
    assert found(early, code=9).message == "the certificate is not valid before 2026-11-26"
    middle = certificate(name="Middle", since=2 * DAY)
    root = certificate(name="Root", since=3 * DAY)
    assert found(certificate(), middle, root, code=9).message == (
        "the intermediate Middle is not valid before 2026-11-27"
    )


def test_the_clock_of_a_client_that_disagrees_is_told_in_openssls_words():
    assert found(certificate(), code=9, text="not yet valid.").message == (
        "the certificate is refused: not yet valid"
    )
    assert found(certificate(since=timedelta(0)), code=9, text="early").message == (
        "the certificate is refused: early"
    )
    assert found(certificate(), code=10, text="has expired").message == (
        "the certificate is refused: has expired"
    )
    assert found(certificate(timedelta(0)), code=10, text="has expired").message == (
        "the certificate expires within a day (2026-11-25)"
    )


def test_an_expired_chain_that_is_refused_for_another_reason_is_told_with_that():
    assert found(certificate(-DAY), code=18).message == "the certificate is self-signed"
    assert found(certificate(since=DAY), code=18).message == "the certificate is self-signed"


@pytest.mark.parametrize("code", [2, 19, 20, 21, 27])
def test_a_chain_without_a_trusted_end_is_told_as_that(code):
    message = found(certificate(), code=code).message
    assert message == "the chain does not end at a trusted CA, or lacks an intermediate"


@pytest.mark.parametrize("code", [62, 64])
def test_a_certificate_of_somebody_else_names_up_to_three_of_its_hosts(code):
    of_others = certificate(names=("a.id", "b.id", "c.id", "d.id"))
    middle = certificate(name="Middle", names=("ca.id",))
    assert found(of_others, middle, code=code).message == (
        "the certificate is for a.id, b.id, c.id, not for pos.example"
    )
    nameless = certificate()
    assert found(nameless, code=code).message == (
        "the certificate names no host (subjectAltName), so it is not for pos.example"
    )
    assert found(code=code).message == "the certificate is for another host, not for pos.example"


@pytest.mark.parametrize("code", [0, 1, 3, 11, 17, 22, 26, 28, 61, 63, 65])
def test_every_other_code_is_told_in_openssls_words(code):
    message = found(certificate(-DAY, since=DAY), code=code, text="so it is.").message
    assert message == "the certificate is refused: so it is"


def test_no_chain_at_all_is_unhealthy():
    outcome = found()
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == "the certificate is refused: no certificate"
    assert outcome.details == {}
