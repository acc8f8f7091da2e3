"""X-Forwarded-For is taken from the proxies that are named, and from nobody else."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from posapp.http.proxies import NamedProxies, is_in
from posapp.settings import Settings, SettingsError

NETWORKS = (ip_network("172.31.255.128/26"), ip_network("fd00::/64"))


def who(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['REMOTE_ADDR']} {environ['wsgi.url_scheme']}".encode()]


def seen(peer, networks, hops=1):
    headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7", "X-Forwarded-Proto": "https"}
    client = Client(NamedProxies(who, hops, networks))
    return client.get("/", headers=headers, environ_overrides={"REMOTE_ADDR": peer}).text


@pytest.mark.parametrize("peer", ["172.31.255.130", "::ffff:172.31.255.191", "fd00::7"])
def test_who_is_named_says_who_the_client_is(peer):
    assert seen(peer, NETWORKS) == "203.0.113.7 https"


@pytest.mark.parametrize("peer", ["172.31.255.127", "172.31.255.192", "fd01::7", "127.0.0.1"])
def test_who_is_not_named_speaks_for_himself(peer):
    assert seen(peer, NETWORKS) == f"{peer} http"


def test_without_names_whoever_connects_is_taken_for_a_proxy():
    assert seen("192.0.2.1", ()) == "203.0.113.7 https"


@given(st.ip_addresses(network="172.31.255.128/26"), st.ip_addresses(v=4))
def test_an_address_is_in_a_network_by_its_bits(inside, any_address):
    assert is_in(str(inside), NETWORKS)
    assert is_in(str(any_address), NETWORKS) == any(any_address in one for one in NETWORKS[:1])


@given(st.text(max_size=60))
def test_what_is_no_address_is_in_no_network(text):
    assert not is_in(f"x{text}", NETWORKS)


@pytest.mark.parametrize("value", ["10.0.0.1/8", "nginx", "1.2.3.4/33", "10.0.0.0/8,,x"])
def test_what_is_no_network_is_refused_by_its_name(value):
    with pytest.raises(SettingsError, match=r"PROXY_NETWORKS: .*write it like"):
        Settings.from_env({"PROXY_NETWORKS": value})


def test_several_are_named_with_commas():
    settings = Settings.from_env({"PROXY_NETWORKS": "172.31.255.128/26, fd00::/64"})
    assert settings.proxy_networks == NETWORKS
