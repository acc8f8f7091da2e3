"""Throughput and latency with 1, 2 and 3 backends: printed, never asserted. docs/scaling.md has the
figures of one run, and on which machine."""

import socket
import threading
import time
from statistics import quantiles
from uuid import uuid4

import pytest
import requests

from tests.compose.production import need_engine, production

pytestmark = [pytest.mark.deep, pytest.mark.compose_long, pytest.mark.timeout(1200)]

SECONDS = 20
TILLS = 12


def sell(stack, token, seconds):
    """Orders answered, and the seconds that each took."""
    menu = requests.get(f"{stack.url}/api/v1/public/menu", timeout=30).json()
    line = {"product_id": menu["categories"][0]["products"][0]["id"], "quantity": 1}
    took, failed = [], []
    end = time.monotonic() + seconds

    def till():
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {token}"
            while (began := time.monotonic()) < end:
                answer = session.post(
                    f"{stack.url}/api/v1/orders",
                    json={"type": "takeaway", "lines": [line]},
                    headers={"Idempotency-Key": str(uuid4())},
                    timeout=60,
                )
                (took if answer.status_code == 201 else failed).append(time.monotonic() - began)

    tills = [threading.Thread(target=till) for _ in range(TILLS)]
    for one in tills:
        one.start()
    for one in tills:
        one.join()
    return took, failed


def test_throughput_with_one_two_and_three_backends(tmp_path_factory):
    need_engine()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rows = []
    with production(tmp_path_factory.mktemp("production"), port, backends=1) as stack:
        token = stack.sign_in()["access_token"]
        for count in (1, 2, 3):
            scale = ("--scale", f"backend={count}", "backend")
            stack.compose("up", "-d", "--no-recreate", "--no-deps", "--wait", *scale)
            stack.settle(count)
            sell(stack, token, 3)  # warm
            took, failed = sell(stack, token, SECONDS)
            assert not failed
            half, last = (quantiles(took, n=100)[n] * 1000 for n in (49, 98))
            rows.append(f"| {count} | {len(took) / SECONDS:.0f} | {half:.0f} | {last:.0f} |")
    print("\n| backends | orders/s | p50 ms | p99 ms |\n| --- | --- | --- | --- |")
    print("\n".join(rows))
