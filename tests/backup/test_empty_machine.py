"""From an empty machine to a selling till: the runbook's page, as it stands there, and its time."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from pyrage import x25519

from healthkit.testing import wait_until
from tests.backup.kit import KEY, ROOT, address, run_sql
from tests.docs.runbook import blocks, missing_lines

BLOCKS = [one for one in blocks() if one.mark == "stick"]


@pytest.fixture
def machines(postgres, template_database, tmp_path):
    """The server of a restaurant that has sold, an empty machine, a stick, and the keys."""
    secret = x25519.Identity.generate()
    for name in ("server", "empty", "usb", "keys"):
        (tmp_path / name).mkdir()
    (tmp_path / "keys" / "backup-key").write_text(f"{KEY}\n")
    (tmp_path / "keys" / "age-key.txt").write_text(f"{secret}\n")
    (tmp_path / "empty" / ".venv" / "bin").mkdir(parents=True)
    for program in ("posapp", "python"):
        path = tmp_path / "empty" / ".venv" / "bin" / program
        path.symlink_to(Path(sys.executable).parent / program)
    url = postgres.create("burnt_down", template_database)
    price = "UPDATE products SET price = 12345 WHERE name_id = 'Air Mineral'"
    run_sql(url, price)
    yield tmp_path, url, secret
    postgres.drop("burnt_down")


def typed(block, folder):
    return block.code.replace("/media/", f"{folder}/")


def bash(code, folder, environ):
    base = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=folder,
        env={**base, **environ},
        capture_output=True,
        text=True,
        timeout=200,
    )


@contextmanager
def running(code, folder, environ):
    """A block that runs for ever; the address at which it is ready."""
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-euc", f"exec {code}"], cwd=folder, env=environ, stdout=output
        )
    try:

        def ready():
            assert process.poll() is None
            lines = (folder / "output").read_text().splitlines()
            return next((line for line in lines if line.startswith("Ready: ")), None)

        yield wait_until(ready, 120).removeprefix("Ready: ")
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.deep
def test_from_an_empty_machine_to_a_selling_till(machines, free_port):
    folder, url, secret = machines
    export, restore, demo = BLOCKS
    server = {
        "DATABASE_URL": address(url),
        "BACKUP_KEY": KEY,
        "BACKUP_AGE_RECIPIENT": str(secret.to_public()),
        "HEALTHKIT_STORE": f"sqlite:///{folder}/store.db",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    assert bash("posapp backup daily", folder / "server", server).returncode == 0
    done = bash(typed(export, folder), folder / "server", server)
    assert done.returncode == 0, done.stderr

    began, there = time.monotonic(), folder / "empty"
    done = bash(typed(restore, folder), there, {})
    assert done.returncode == 0, done.stderr
    assert missing_lines(restore.output, done.stdout) == []
    environ = {
        "PATH": f"{there}/.venv/bin{os.pathsep}{os.environ['PATH']}",
        "HOME": str(there),
        "PORT": str(free_port),
        "WEB_CONCURRENCY": "1",
    }
    with running(typed(demo, folder), there, environ) as pos:
        sell(f"{pos}/api/v1")
    seconds = time.monotonic() - began
    print(f"\nFrom an empty machine, installed, to a selling till: {seconds:.1f} s")


def sell(api):
    """Signs in as the old restaurant's cashier and sells at the price that was its own."""
    login = {"username": "cashier", "password": "cashier-demo"}
    answer = requests.post(f"{api}/auth/login", json=login, timeout=30)
    assert answer.status_code == 200, answer.text
    signed_in = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def post(path, body):
        key = {"Idempotency-Key": str(uuid4())}
        sent = requests.post(f"{api}{path}", json=body, headers={**signed_in, **key}, timeout=30)
        assert sent.status_code in (200, 201), sent.text
        return sent.json()

    menu = requests.get(f"{api}/public/menu", timeout=30).json()["categories"]
    names = {one["name"]: one for category in menu for one in category["products"]}
    assert names["Air Mineral"]["price"] == 12345
    line = {"product_id": names["Air Mineral"]["id"], "quantity": 1}
    order = post("/orders", {"type": "takeaway", "lines": [line]})
    post(f"/orders/{order['id']}/payments", {"method": "qris", "amount": order["due"]})


def test_the_page_has_the_three_steps_that_are_run():
    assert [one.heading for one in BLOCKS] == ["From an empty machine to a selling till"] * 3
    assert (ROOT / "docs" / "runbook.md").read_text().count("```bash stick\n") == 3
