"""Where a secret begins to be strong enough, and which parameters an address may have."""

import random
import sys

import pytest

from healthkit.fields import is_host_name, parse_database_url, secret_weakness, split_web_address

RUN = "aaaaaaaaaa"
"""Ten, of which the last eight are foreseen: a quarter of 32."""
REST = "k7Qm2ZxR9vT4wHc6sYd1Bn"


def drawn(alphabet, length):
    return "".join(random.Random(1).choices(alphabet, k=length))


@pytest.mark.parametrize(
    ("alphabet", "least"),
    [
        ("0123456789", 39),
        ("0123456789abcdef", 32),
        ("0123456789ABCDEF", 32),
        ("abcdefghijklmnopqrstuvwxyz", 28),
        ("ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ", 23),
        ("!$%&/()=?[]{}+*~#-.:,;<>|^", 128),
    ],
)
def test_a_secret_has_128_bits_by_the_kinds_of_its_characters(alphabet, least):
    assert secret_weakness(drawn(alphabet, least)) is None
    assert secret_weakness(drawn(alphabet, least - 1)) == "too short, at least 128 bits"


def test_a_secret_has_eight_different_characters():
    assert secret_weakness(drawn("02468ace", 60)) is None
    assert secret_weakness(drawn("02468ac", 60)) == "too repetitive"


@pytest.mark.parametrize("place", [0, 11, 22])
def test_a_quarter_of_a_secret_may_follow_from_what_is_before_and_no_more(place):
    assert secret_weakness(REST[:place] + RUN + REST[place:]) is None
    rest = REST[1:]
    one_more = rest[:place] + RUN + "a" + rest[place:]
    assert len(one_more) == 32
    assert secret_weakness(one_more) == "too repetitive"


@pytest.mark.parametrize("port", [1, 65535])
def test_the_first_and_the_last_port_are_ports(port):
    assert parse_database_url(f"sqlite://h:{port}/n").port == port


def test_parameters_that_postgresql_does_not_know_are_named_five_of_them_and_not_at_length():
    pytest.importorskip("psycopg2")
    known = parse_database_url("postgresql://h/n?sslmode=require&application_name=x")
    assert known.query == {"sslmode": "require", "application_name": "x"}
    names = [letter * 41 for letter in "abcdef"]
    query = "&".join(f"{name}=1" for name in reversed(names))
    with pytest.raises(ValueError) as refused:
        parse_database_url(f"postgresql://h/n?{query}")
    listed = ", ".join(repr(letter * 40) for letter in "abcde")
    assert str(refused.value) == f"PostgreSQL knows no such parameter: {listed}"


def test_a_driver_without_libpq_is_asked_itself_what_it_knows(tmp_path, monkeypatch):
    (tmp_path / "pg8000").mkdir()
    (tmp_path / "pg8000" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pg8000", raising=False)
    assert parse_database_url("postgresql+pg8000://h/n?any=1").query == {"any": "1"}


LABEL = "a" * 63


@pytest.mark.parametrize(
    "host",
    ["a", "kuma", "a_b.example", "a.", LABEL, ".".join([LABEL] * 3 + ["a" * 61]), "127.0.0.1"],
)
def test_a_host_has_a_name_or_four_numbers(host):
    assert is_host_name(host)
    assert split_web_address(f"https://{host}:1/x").hostname == host


@pytest.mark.parametrize(
    "host",
    ["", ".", "a..b", "a" * 64, ".".join([LABEL] * 3 + ["a" * 62]), "256.0.0.1", "127.1", "a b"],
)
def test_what_is_neither_is_no_host(host):
    assert not is_host_name(host)
    with pytest.raises(ValueError, match=r"^not a web address; write it like https://host/path$"):
        split_web_address(f"https://{host}/")


@pytest.mark.parametrize(
    "text",
    [
        *("ftp://host/", "//host/", "https://h:0/", "https://h:/", "https://h:65536/"),
        *(
            "https://[::1",
            'https://h/"',
            "https://h/<",
            "https://h/>",
            "https://h/\\",
            "https://é/",
        ),
        *("https://h/\x7f", "https://h/ x"),
    ],
)
def test_an_address_that_nothing_can_be_sent_to_is_none(text):
    with pytest.raises(ValueError, match=r"^not a web address"):
        split_web_address(text)


def test_an_address_of_ipv6_is_one():
    assert split_web_address("http://[::1]:3001/x").port == 3001
