import re
import socket
import threading
import tomllib
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from pydantic import ValidationError

from healthkit import Health, Status, load_settings
from healthkit_dns import Dns, Records, evaluate, parse_resolver

README = Path(__file__).parent.parent / "README.md"
ZONE = {
    ("your-domain.com.", "A"): ["192.0.2.10", "192.0.2.11"],
    ("your-domain.com.", "MX"): ["10 Mail.your-domain.com."],
    ("your-domain.com.", "TXT"): ['"v=spf1 " "-all"', '"\\255\\001 password=hunter2"'],
}


@pytest.fixture
def resolver():
    """A name server on loopback for ZONE; `mute.` gets no answer and `broken.` SERVFAIL."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve():
        while True:
            wire, peer = server.recvfrom(4096)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            name, kind = str(query.question[0].name), query.question[0].rdtype.name
            if name == "mute.":
                continue
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            if name == "broken.":
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif (name, kind) in ZONE:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *ZONE[name, kind]))
            elif name not in {known for known, _ in ZONE}:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            server.sendto(answer.to_wire(), peer)

    thread = threading.Thread(target=serve)
    thread.start()
    address, port = server.getsockname()
    yield f"{address}:{port}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stop:
        stop.sendto(b"", (address, port))
    thread.join()
    server.close()


def test_the_records_of_a_name_are_found(run_check, resolver):
    found = run_check(Dns(name="your-domain.com", resolver=resolver, expect="192.0.2.11"))
    assert (found.status, found.message) == (Status.HEALTHY, "A 192.0.2.10, 192.0.2.11")
    assert (found.details["count"], found.details["ttl_seconds"]) == (2, 60)
    mail = Dns(name="your-domain.com.", record="MX", resolver=resolver)
    expected = mail.model_copy(update={"expect": ("10 mail.your-domain.com",)})
    assert run_check(expected).status is Status.HEALTHY
    text = Dns(name="your-domain.com", record="TXT", resolver=resolver, expect="v=spf1 -all")
    assert run_check(text).status is Status.HEALTHY


def test_a_record_that_is_missing_is_named(run_check, resolver):
    found = run_check(Dns(name="your-domain.com", resolver=resolver, expect=["192.0.2.12"]))
    assert found.status is Status.UNHEALTHY
    assert found.message == "A 192.0.2.10, 192.0.2.11: without 192.0.2.12"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"name": "other.example"}, "the name does not exist"),
        ({"name": "your-domain.com", "record": "AAAA"}, "the name has no AAAA record"),
        ({"name": "broken"}, "the resolver fails or refuses to answer"),
        ({"name": "mute"}, "no answer within 0.9 s"),
    ],
)
def test_each_fault_has_its_own_words(run_check, resolver, keys, said):
    found = run_check(Dns(resolver=resolver, **keys), timeout=1.0)
    assert (found.status, found.message) == (Status.UNHEALTHY, said)


def test_a_slow_look_up_is_degraded():
    wanted = Dns(name="x", slow_after="100ms")
    assert evaluate(Records(("1.1.1.1",), 60, 0.1), wanted).status is Status.HEALTHY
    slow = evaluate(Records(("1.1.1.1",), 60, 0.2), wanted)
    assert slow.status is Status.DEGRADED
    assert slow.message == "slow: 0.20 s, at most 0.1 s are expected"


def test_what_a_stranger_has_written_into_his_records_is_masked(resolver, tmp_path):
    check = {"type": "dns", "name": "your-domain.com", "record": "TXT", "resolver": resolver}
    store = {"url": f"sqlite:///{tmp_path}/x.db"}
    document = {"service": {"name": "x"}, "store": store, "checks": {"domain": check}}
    message = Health(load_settings(document)).check_once().result("domain").outcome.message
    assert "hunter2" not in message
    assert not re.search(r"[\x00-\x1f]", message)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1.1.1.1", ("1.1.1.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]:54", ("::1", 54)),
        ("[::1]", ("::1", 53)),
    ],
)
def test_a_resolver_is_an_address_and_may_have_a_port(text, place):
    assert parse_resolver(text) == place


@pytest.mark.parametrize(
    "keys",
    [
        {"name": ""},
        {"name": "a..b"},
        {"name": "x" * 64 + ".com"},
        {"name": "x", "record": "ANY"},
        {"name": "x", "resolver": "dns.google"},
        {"name": "x", "resolver": "1.1.1.1:0"},
        {"name": "x", "resolver": "1.1.1.1:70000"},
        {"name": "x", "resolver": "1.1.1.1:٣"},
        {"name": "x", "resolver": ""},
    ],
)
def test_what_cannot_be_asked_is_refused(keys):
    with pytest.raises(ValidationError):
        Dns(**keys)


def test_the_readmes_example_runs(resolver):
    (example,) = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    document = {"service": {"name": "x"}, **tomllib.loads(example)}
    settings = load_settings(document, environ={"DNS_PORT": resolver.rpartition(":")[2]})
    assert Health(settings).check_once().result("domain").outcome.status is Status.HEALTHY
