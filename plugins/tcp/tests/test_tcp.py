import errno
import re
import socket
import threading
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import ValidationError

from healthkit import Health, Status, load_settings
from healthkit_tcp import MOST_READ, Tcp, fault_of

README = Path(__file__).parent.parent / "README.md"


@pytest.fixture
def serve():
    """`serve(act)` gives each connection to `act` and returns the port."""
    servers, threads = [], []

    def start(act):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def loop():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with closing(connection):
                    act(connection)

        threads.append(threading.Thread(target=loop))
        threads[-1].start()
        return server.getsockname()[1]

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    for thread in threads:
        thread.join()


def tcp(port, **keys):
    return Tcp(address=f"127.0.0.1:{port}", **keys)


def test_a_port_that_takes_connections_is_healthy(run_check, serve):
    found = run_check(tcp(serve(lambda connection: None)))
    assert (found.status, found.message) == (Status.HEALTHY, None)
    assert found.details["seconds"] >= 0


def test_a_port_that_nothing_listens_at_says_so(run_check):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    assert run_check(tcp(port)).message == "refused: nothing listens at that port"


def test_a_name_that_is_not_known_says_so(run_check):
    found = run_check(Tcp(address="no-such-host.invalid:80"))
    assert found.message == "the name of the host is not known"


def test_a_host_with_several_addresses_is_asked_at_each(run_check, serve, monkeypatch):
    port = serve(lambda connection: None)
    real = socket.getaddrinfo

    def two(host, *more):
        refusing = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.2", port))]
        return refusing + real("127.0.0.1", *more)

    monkeypatch.setattr(socket, "getaddrinfo", two)
    assert run_check(Tcp(address=f"two.example:{port}")).status is Status.HEALTHY


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "no answer in time"),
        (OSError(errno.EHOSTUNREACH, "x"), "no way to the host"),
        (OSError(errno.ENETUNREACH, "x"), "no way to the host"),
        (ConnectionResetError(), "cut by the other side"),
        (BrokenPipeError(), "cut by the other side"),
        (OSError(errno.EMFILE, "Too many open files"), "cannot connect: Too many open files"),
        (OSError(), "cannot connect: OSError"),
    ],
)
def test_each_cause_has_its_own_words(error, said):
    assert said in fault_of(error)


def test_what_is_expected_may_come_in_parts(run_check, serve):
    def act(connection):
        assert connection.recv(100) == b"PING\r\n"
        for part in (b"+PO", b"NG\r\n"):
            connection.sendall(part)

    port = serve(act)
    assert run_check(tcp(port, send="PING\r\n", expect="+PONG")).status is Status.HEALTHY


def test_another_answer_silence_and_a_flood_are_each_told(run_check, serve):
    closed = serve(lambda connection: connection.sendall(b"554 no"))
    assert "closed after 6 bytes" in run_check(tcp(closed, expect="220 ")).message

    flood = serve(lambda connection: connection.sendall(b"x" * MOST_READ * 2))
    assert f"first {MOST_READ} bytes" in run_check(tcp(flood, expect="220 "), timeout=20.0).message

    free = threading.Event()
    silent = serve(lambda connection: free.wait(60))
    try:
        found = run_check(tcp(silent, expect="220 "), timeout=0.3)
        assert found.message == "the expected text did not come; 0 bytes did"
    finally:
        free.set()


def test_an_answer_that_drips_does_not_last_beyond_the_timeout(run_check, serve):
    free = threading.Event()

    def drip(connection):
        try:
            while not free.wait(0.02):
                connection.sendall(b"x")
        except OSError:
            return

    try:
        found = run_check(tcp(serve(drip), expect="220 "), timeout=0.5)
        assert found.status is Status.UNHEALTHY
        assert re.fullmatch("the expected text did not come; [0-9]+ bytes did", found.message)
    finally:
        free.set()


def test_a_slow_answer_is_degraded(run_check, serve):
    def act(connection):
        threading.Event().wait(0.05)
        connection.sendall(b"220 hello")

    port = serve(act)
    found = run_check(tcp(port, expect="220 ", slow_after="10ms"))
    assert found.status is Status.DEGRADED
    assert "at most 0.01 s are expected" in found.message


@pytest.mark.parametrize(
    "address",
    [
        *("db", "db:", ":5432", "db:0", "db:65536", "db:٣", "http://db:80", "a b:80", "[::1]"),
        *("u@db:1", "a..b:80", f"{'a' * 64}.b:80", "a\0b:80", "[::::]:80", "[1.2.3.4]:80"),
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValidationError, match="write it like"):
        Tcp(address=address)


def test_the_readmes_example_runs(serve):
    port = serve(lambda connection: connection.sendall(b"220 mail.example ESMTP\r\n"))
    (example,) = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    document = {"service": {"name": "x"}, **tomllib.loads(example)}
    settings = load_settings(document, environ={"MAIL_PORT": str(port)})
    assert Health(settings).check_once().result("mail").outcome.status is Status.HEALTHY
