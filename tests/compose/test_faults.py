"""The production on a real engine: what is promised of its layout, and what clients see when its
parts are killed, paused, cut off or starved. No order is lost or doubled."""

import json
import os
import signal
import socket
import subprocess
from uuid import uuid4

import pytest
import requests

from healthkit.testing import wait_until
from tests.compose.production import Tills, need_engine, production

pytestmark = [pytest.mark.deep, pytest.mark.compose, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    need_engine()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with production(tmp_path_factory.mktemp("production"), port) as found:
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


# Three backends


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
    wait_until(
        lambda: len(stack.compose("ps", "-q", "--status", "running").split()) == len(everybody), 120
    )
