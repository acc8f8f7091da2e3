"""Addresses of the web and of databases: which are taken, and what is said of one that is not."""

import logging
import sys
from types import SimpleNamespace

import pytest

from healthkit.fields import is_host_name, parse_database_url, split_web_address

LABEL = "a" * 63


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("http://kuma", "kuma", None),
        ("https://a.example/x?y=1#z", "a.example", None),
        ("https://a.example./", "a.example.", None),
        ("https://xn--caf-dma.example/", "xn--caf-dma.example", None),
        ("http://kuma_1:1/", "kuma_1", 1),
        ("http://10.0.0.1:65535/", "10.0.0.1", 65535),
        ("http://[::1]:8080/", "::1", 8080),
        ("https://me:hush@a.example", "a.example", None),
    ],
)
def test_an_address_that_can_be_connected_to_is_taken_apart(address, host, port):
    parts = split_web_address(address)
    assert (parts.hostname, parts.port) == (host, port)


@pytest.mark.parametrize(
    "address",
    [
        *("", "hush", "//hush/x", "ftp://hush/x", "http:///hush", "http://hush..b/", "http://../"),
        *("http://hush:0/", "http://hush:/", "http://hush:65536/", "http://hush:x/"),
        *("http://[::1/hush", "http://256.1.1.1/hush", "http://127.1/hush", "http://é/hush"),
        *("http://a/hush é", "http://a/hushé", "http://a/hush x", "http://a/hush\x7f"),
        *("http://a/hush\n", 'http://a/hush"', "http://a/<hush", "http://a/hush>", "http:\\\\hush"),
        *("http://a\\hush", f"http://{LABEL}a/hush"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused_in_words_that_hold_nothing_of_it(address):
    with pytest.raises(ValueError) as refused:
        split_web_address(address)
    assert str(refused.value) == "not a web address; write it like https://host/path"


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("a", True),
        ("A-1_b.example", True),
        ("a.example.", True),
        ("1.2.3.4", True),
        ("1.a", True),
        (LABEL, True),
        (f"{LABEL}a", False),
        (f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}", True),
        (f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}.", True),
        (f"{LABEL}.{LABEL}.{LABEL}.{'a' * 62}", False),
        ("", False),
        (".", False),
        (".a", False),
        ("a..b", False),
        ("a b", False),
        ("a:1", False),
        ("é.example", False),
        ("1.2.3", False),
        ("1.2.3.256", False),
        ("a.1", False),
        ("::ffff:1.2.3.4", False),
    ],
)
def test_a_hosts_name_has_253_characters_and_each_part_of_it_63_at_most(name, is_one):
    assert is_host_name(name) is is_one


# Databases


class Refused(Exception):
    """What a driver raises for a parameter that libpq does not know."""


def take_only(*known):
    def make(**given):
        if not given.keys() <= set(known):
            raise Refused(*given)

    return make


@pytest.fixture
def drivers(monkeypatch):
    """Drivers that know two parameters, whatever is installed; the third has no libpq."""
    make = take_only("sslmode", "application_name")
    for name, own in (
        ("psycopg2", {"extensions": SimpleNamespace(make_dsn=make)}),
        ("psycopg", {"conninfo": SimpleNamespace(make_conninfo=make)}),
        ("pg8000", {}),
    ):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(ProgrammingError=Refused, **own))


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_a_parameter_that_postgresql_does_not_know_is_named(drivers, driver):
    known = "sslmode=require&application_name=till"
    url = parse_database_url(f"postgresql+{driver}://u:hush@h/n?{known}")
    assert dict(url.query) == {"sslmode": "require", "application_name": "till"}
    with pytest.raises(ValueError) as refused:
        parse_database_url(f"postgresql+{driver}://u:hush@h/n?{known}&size=hush&colour=hush")
    assert str(refused.value) == "PostgreSQL knows no such parameter: 'colour', 'size'"


def test_of_many_unknown_parameters_five_are_named_and_of_each_40_characters(drivers):
    given = "&".join(f"{name}=1" for name in ("b", "a", "d", "c", "f", "e" * 41))
    with pytest.raises(ValueError) as refused:
        parse_database_url(f"postgresql+psycopg2://h/n?{given}")
    assert str(refused.value).endswith(f": 'a', 'b', 'c', 'd', '{'e' * 40}'")


def test_a_driver_without_libpq_is_given_what_it_is_given(drivers):
    url = parse_database_url("postgresql+pg8000://h/n?colour=1")
    assert dict(url.query) == {"colour": "1"}
    assert dict(parse_database_url("sqlite:///n?colour=1").query) == {"colour": "1"}


def test_what_only_prisma_knows_is_left_out_and_said_once(drivers, caplog):
    address = "postgresql+psycopg2://h/n?sslidentity=x&sslmode=require&pool_timeout=9"
    with caplog.at_level(logging.WARNING, "healthkit"):
        for _ in range(2):
            assert dict(parse_database_url(address).query) == {"sslmode": "require"}
    assert [record.getMessage() for record in caplog.records] == [
        "database URL: left out what PostgreSQL does not know: pool_timeout, sslidentity"
    ]


@pytest.mark.parametrize("port", [1, 65535])
def test_a_database_listens_at_any_port_that_there_is(port):
    assert parse_database_url(f"sqlite://h:{port}/n").port == port


@pytest.mark.parametrize("port", [0, 65536])
def test_a_port_that_there_is_not_is_refused(port):
    with pytest.raises(ValueError, match="its port is none, 1 to 65535"):
        parse_database_url(f"sqlite://h:{port}/n")
