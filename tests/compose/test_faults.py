"""The production on a real engine: what is promised of its layout, and what clients see when its
parts are killed, paused, cut off or starved. No order is lost or doubled."""

import json
import os
import re
import signal
import socket
import subprocess
from uuid import uuid4

import pytest
import requests

from healthkit.testing import wait_until
from tests.compose.production import Tills, need_engine, production, small_disk
from tests.deploy.stack import ROOT
from tests.docs.documents import text_of

pytestmark = [pytest.mark.deep, pytest.mark.compose, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    need_engine()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("production")
    with small_disk(folder, "1500M") as disk, production(folder, port, disk=disk) as found:
        yield found


@pytest.fixture
def tills(stack, request):
    stack.settle(2)
    with Tills(stack) as tills:
        yield tills
        tills.sell_on(10)
    tills.report(request.node.name)
    tills.each_order_once()


# The layout


def test_every_service_runs_as_nobody_special_on_a_read_only_root(stack):
    names = json.loads(f"[{','.join(stack.compose('ps', '--format', 'json').split(chr(10))[:-1])}]")
    running = {one["Service"] for one in names}
    assert running >= {"backend", "watch", "backup", "frontend", "postgres", "uptime-kuma"}
    for one in names:
        found = stack.inspect(one["ID"])
        assert found["Config"]["User"].split(":")[0] not in ("", "0")
        assert found["HostConfig"]["ReadonlyRootfs"] == (one["Service"] != "uptime-kuma")
        assert found["HostConfig"]["CapDrop"] == ["ALL"]
        assert found["HostConfig"]["Memory"] > 0
        assert found["State"]["Health"]["Status"] == "healthy"


def test_no_secret_is_seen_by_who_may_look_at_containers(stack):
    for name in ("db_password", "jwt_secret", "backup_key", "health_token"):
        secret = (stack.folder / "secrets" / name).read_text().strip()
        for service in ("backend", "postgres", "watch", "backup"):
            assert secret not in json.dumps(stack.inspect(stack.containers(service)[0]))


def test_an_image_has_no_compiler_and_no_installer(stack):
    look = "for p in gcc cc pip npm node apt-get curl; do command -v $p; done; true"
    found = stack.compose("exec", "-T", "backend", "sh", "-c", look).split()
    assert {path.rpartition("/")[2] for path in found} <= {"apt-get"}


def test_the_runbooks_commands_find_their_secrets(stack):
    assert "healthy" in stack.posapp("health-check")
    assert "steak_kenangan_" in stack.compose("exec", "-T", "backup", "posapp", "backup", "list")


# Who a client is


@pytest.fixture
def client_of(stack):
    """`client_of(network, host, headers, address=None)`: asks `host` from within a network, from an
    address of it; the client that the backend's log names, and the address that was asked from."""

    def client(network, host, headers, address=None):
        told = str(uuid4())
        lines = [f"GET {PATH} HTTP/1.0", "Host: pos", f"X-Request-ID: {told}"]
        head = "".join(f"{line}\\r\\n" for line in [*lines, *headers, ""])
        ask = f"exec 3<>/dev/tcp/{host}/8080; printf '{head}' >&3; cat <&3 >/dev/null"
        at = [] if address is None else ["--ip", address]
        image = [
            "--entrypoint",
            "bash",
            "steak-kenangan/backend:local",
            "-c",
            f"{ask}; hostname -I",
        ]
        where = ["--network", f"{stack.name}_{network}", *at]
        own = stack.run("docker", "run", "--rm", *where, *image)
        return logged(stack, told), own.strip()

    return client


PATH = "/api/v1/orders"
LIES = ["X-Forwarded-For: 203.0.113.7", "X-Real-IP: 203.0.113.7", "Forwarded: for=203.0.113.7"]
TUNNEL = "CF-Connecting-IP: 203.0.113.9"


def runbook_logs():
    """The runbook's function for a look at the log, in a container."""
    found = re.search(r"`(logs\(\) \{ docker .*? \})`", text_of("docs/runbook.md"))
    return found[1]


def test_each_line_of_the_log_is_json_by_the_runbooks_command(stack):
    requests.get(f"{stack.url}{PATH}", timeout=30)
    lines = stack.run("bash", "-c", f"{runbook_logs()}; logs").splitlines()
    told = [json.loads(line) for line in lines if line]
    assert any(line["message"].startswith("GET ") for line in told)


def logged(stack, request):
    """The client of a request, by the backends' log."""

    def found():
        log = stack.run("bash", "-c", f"{runbook_logs()}; logs")
        lines = (json.loads(line) for line in log.splitlines() if request in line)
        return next((line["client_ip"] for line in lines if line.get("path") == PATH), None)

    return wait_until(found, 30)


def test_the_tunnel_alone_says_who_its_clients_are(stack, client_of):
    """And its address is free for it, whoever else was there first."""
    tunnel = stack.environ["TUNNEL_ADDRESS"]
    assert client_of("tunnel", "frontend", [*LIES, TUNNEL], tunnel) == ("203.0.113.9", tunnel)
    seen, own = client_of("tunnel", "frontend", [*LIES, TUNNEL])
    assert own != tunnel
    assert seen == own


def test_a_client_of_nginx_says_nothing_about_himself(stack):
    told = str(uuid4())
    headers = dict(line.split(": ") for line in [*LIES, TUNNEL])
    requests.get(f"{stack.url}{PATH}", headers={**headers, "X-Request-ID": told}, timeout=30)
    assert not logged(stack, told).startswith("203.0.113.")


def test_who_reaches_a_backend_around_nginx_speaks_for_himself(client_of):
    seen, own = client_of("outside", "backend", LIES)
    assert seen == own


# Three backends


def orders_counted(stack):
    """Orders that each backend has counted, as Prometheus asks each for itself."""
    ask = "printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    found = []
    for backend in stack.containers("backend"):
        script = f"exec 3<>/dev/tcp/127.0.0.1/8080; {ask}"
        lines = stack.run("docker", "exec", backend, "bash", "-c", script).splitlines()
        found.append(sum(float(x.split()[-1]) for x in lines if x.startswith("posapp_orders_t")))
    return found


def test_three_backends_are_one_house(stack):
    stack.compose("up", "-d", "--no-recreate", "--wait", "--scale", "backend=3", "backend")
    stack.settle(3)
    pair = stack.sign_in("admin")
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    body = {"refresh_token": pair["refresh_token"]}
    with requests.Session() as till:
        api = f"{stack.url}/api/v1"
        refreshed = [till.post(f"{api}/auth/refresh", json=body, timeout=30) for _ in range(6)]
        assert {answer.status_code for answer in refreshed} == {200}
        assert len({answer.json()["refresh_token"] for answer in refreshed}) == 1
        product = till.get(f"{api}/public/menu", timeout=30).json()["categories"][0]["products"][0]
        order = {"type": "takeaway", "lines": [{"product_id": product["id"], "quantity": 1}]}
        key = {**headers, "Idempotency-Key": str(uuid4())}
        made = [till.post(f"{api}/orders", json=order, headers=key, timeout=30) for _ in range(9)]
        assert {answer.status_code for answer in made} == {201}
        assert len({answer.json()["id"] for answer in made}) == 1
        before = sum(orders_counted(stack))
        for _ in range(30):
            key = {**headers, "Idempotency-Key": str(uuid4())}
            assert till.post(f"{api}/orders", json=order, headers=key, timeout=30).ok
        counted = orders_counted(stack)
        assert sum(counted) == before + 30
        assert all(counted)  # each has had its part
        # A price that is changed through one of them is soon every one's.
        path = f"{api}/products/{product['id']}/availability"
        gone = till.put(path, json={"available": False}, headers=headers, timeout=30)
        assert gone.status_code == 200

        def sold_out():
            menus = [till.get(f"{api}/public/menu", timeout=30).json() for _ in range(9)]
            found = [m["categories"][0]["products"][0]["available"] for m in menus]
            return not any(found)

        wait_until(sold_out, 30)
        till.put(path, json={"available": True}, headers=headers, timeout=30)
        wrong = {"username": "nobody", "password": "x"}
        codes = [
            till.post(f"{api}/auth/login", json=wrong, timeout=30).status_code for _ in range(15)
        ]
        assert codes[0] == 401
        assert codes[-1] == 429  # counted over all three
    stack.compose("up", "-d", "--no-recreate", "--wait", "--scale", "backend=2", "backend")
    stack.settle(2)


# Faults


def docker(*arguments):
    subprocess.run(["docker", *arguments], check=True, capture_output=True, timeout=120)


def kill(stack, *containers):
    """As the kernel would; `docker kill` counts as a wish that it stays down."""
    for pid in [stack.inspect(container)["State"]["Pid"] for container in containers]:
        os.kill(pid, signal.SIGKILL)


def test_a_backend_that_is_killed(stack, tills):
    kill(stack, stack.containers("backend")[0])
    tills.sell_on(20)


def test_a_backend_that_is_frozen(stack, tills):
    frozen = stack.containers("backend")[0]
    docker("pause", frozen)
    wait_until(lambda: len(stack.backends()) == 1, 60)
    tills.sell_on(20)
    docker("unpause", frozen)


def test_a_backend_that_is_cut_from_the_network(stack, tills):
    backend = stack.containers("backend")[0]
    networks = [f"{stack.name}_app", f"{stack.name}_data"]
    for network in networks:
        docker("network", "disconnect", network, backend)
    tills.sell_on(20)
    for network in networks:
        docker("network", "connect", "--alias", "backend", network, backend)


def test_a_backend_at_the_limit_of_its_memory(stack, tills):
    backend = stack.containers("backend")[0]
    grow = "x = []\nwhile True: x.append(bytearray(1 << 24))"
    subprocess.run(["docker", "exec", backend, "/app/.venv/bin/python", "-c", grow], check=False)
    tills.sell_on(20)
    assert stack.inspect(backend)["HostConfig"]["Memory"] == 1 << 30


def test_postgresql_that_is_restarted(stack, tills):
    stack.compose("restart", "-t", "30", "postgres")
    tills.sell_on(20)


def test_postgresql_that_is_stopped_is_told_as_what_it_is(stack, tills):
    """Once, though two watch: one of them has the lease."""
    two = ("--no-recreate", "--no-deps", "--wait", "--scale", "watch=2", "watch")
    stack.compose("up", "-d", *two)
    stack.compose("stop", "-t", "30", "postgres")
    try:
        wait_until(lambda: says_database(stack), 60)
        wait_until(lambda: incidents(stack), 60)
        assert len(incidents(stack)) == 1
    finally:
        stack.compose("start", "postgres")
    tills.sell_on(20)
    wait_until(lambda: not incidents(stack), 90)


def says_database(stack):
    """Whether health is that the database is away, and not something else."""
    answer = requests.get(f"{stack.url}/health", timeout=30)
    return answer.status_code == 503 and answer.json()["checks"]["database"]["status"] != "healthy"


def incidents(stack):
    """What the watcher says of the database: lines of its command."""
    command = ("exec", "-T", "watch", "posapp", "healthkit", "incidents", "--open")
    return [x for x in stack.compose(*command).splitlines() if x.split()[1:2] == ["database"]]


def test_a_disk_of_postgresql_that_is_full(stack, tills):
    room = "df --output=avail -B1 /var/lib/postgresql | tail -n 1"
    path = "/var/lib/postgresql/full"
    fill = f"fallocate -l $({room}) {path}; cat /dev/zero >>{path}"
    in_it = ("exec", "-T", "postgres", "sh", "-c")
    subprocess.run(
        ["docker", "compose", *in_it, fill], cwd=stack.folder, env=stack.environ, check=False
    )
    try:
        wait_until(lambda: set(tills.answers) - {201}, 180)
        logs = ("bash", "-c", f"{runbook_logs()}; logs")
        wait_until(lambda: "No space left on device" in stack.run(*logs), 30)
    finally:
        disk = f"{stack.name}_postgres-data:/disk"  # its own container may be between two starts
        docker("run", "--rm", "-v", disk, "debian:bookworm-slim", "rm", "/disk/full")
    tills.sell_on(20, 180)


def test_postgresql_that_is_killed(stack, tills):
    kill(stack, stack.containers("postgres")[0])
    tills.sell_on(20)


def test_postgresql_that_is_frozen_is_told_and_the_sale_goes_on_afterwards(stack, tills):
    database = stack.containers("postgres")[0]
    docker("pause", database)

    def told():
        answer = requests.get(f"{stack.url}/health", timeout=30)
        return answer.status_code == 503 and answer.json()["checks"]["database"]["status"]

    assert wait_until(told, 60) == "unhealthy"
    docker("unpause", database)
    tills.sell_on(20)


def test_nginx_that_is_restarted_under_load(stack, tills):
    stack.compose("restart", "-t", "30", "frontend")
    tills.sell_on(20)


def test_all_are_killed_at_once_as_by_a_power_cut(stack, tills):
    everybody = stack.compose("ps", "-q").split()
    kill(stack, *everybody)
    tills.sell_on(20, 180)
    everybody_runs(stack, everybody)


def everybody_runs(stack, everybody):
    wait_until(
        lambda: len(stack.compose("ps", "-q", "--status", "running").split()) == len(everybody), 120
    )


def test_an_engine_that_is_restarted(stack, tills):
    """It ends all containers, and starts them in no order."""
    everybody = stack.compose("ps", "-q").split()
    engine = str(ROOT / "tools/engine.sh")
    subprocess.run([engine, "stop"], check=True, timeout=120)
    subprocess.run([engine, "start"], check=True, timeout=600, capture_output=True)
    tills.sell_on(20, 240)
    everybody_runs(stack, everybody)
