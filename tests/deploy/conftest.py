"""The production's nginx before two small servers that do as the test says."""

import socket

import pytest

from tests.deploy import nginx
from tests.deploy.nginx import LOCAL


@pytest.fixture(scope="module")
def upstreams():
    nginx.need_nginx()
    first = nginx.Upstream(LOCAL[0], 0)
    second = nginx.Upstream(LOCAL[1], first.port)
    yield first, second
    first.close()
    second.close()


@pytest.fixture(scope="module")
def door(upstreams):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = nginx.prepare()
    # Any of 127.0.0.0/8 is this machine's: one of them is the tunnel's.
    backend = f"{LOCAL[0]} {LOCAL[1]}:{upstreams[0].port}"
    door = nginx.start(folder, backend, port, TUNNEL_ADDRESS="127.0.0.9")
    yield door
    door.stop()


@pytest.fixture
def fresh(request):
    """Both servers ready, and with nothing got, before a test."""
    if "upstreams" in request.fixturenames:
        for upstream in request.getfixturevalue("upstreams"):
            upstream.got.clear()
            upstream.act = lambda head, client: nginx.answer(client)
            upstream.ready = True
    if "door" in request.fixturenames:
        request.getfixturevalue("door").backends("restore")
