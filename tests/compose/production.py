"""The whole production on a Docker engine, and tills that sell through its nginx."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
import yaml

from healthkit.testing import wait_until
from tests.deploy.stack import DEPLOY, ROOT

PASSWORD = "Jendela-biru-4417"
MENU = (
    "kind,name,name_en,price,of,groups,min,max\n"
    "category,Minuman,Drinks,,,,,\n"
    "product,Air Mineral,Water,10000,Minuman,,,\n"
    "product,Teh,Tea,12000,Minuman,,,\n"
)


def need_engine() -> None:
    """Has an engine with all images; skips where there can be none, never in CI."""
    done = subprocess.run(
        [str(ROOT / "tools/engine.sh"), "start"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = f"no Docker engine here: {done.stderr.strip().splitlines()[-1]}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@dataclass
class Production:
    """A stack of its own name, in a copy of deploy/."""

    folder: Path
    name: str
    port: int
    environ: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *command: str, text: str | None = None, seconds: float = 300) -> str:
        """What a command in the folder prints."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            input=text,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def compose(self, *arguments: str, text: str | None = None) -> str:
        return self.run("docker", "compose", *arguments, text=text)

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "-q", service).split()

    def inspect(self, container: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.run("docker", "inspect", container))
        return found[0]

    def posapp(self, *arguments: str, text: str | None = None) -> str:
        return self.compose("exec", "-T", "backend", "posapp", *arguments, text=text)

    def sql(self, query: str) -> str:
        command = [
            "psql",
            "-h",
            "/run/postgresql",
            "-U",
            "postgres",
            "-d",
            "steak_kenangan",
            "-Atc",
        ]
        return self.compose("exec", "-T", "postgres", *command, query).strip()

    def backends(self) -> list[str]:
        """The addresses that nginx sends to."""
        return self.compose("exec", "-T", "frontend", "backends.sh", "list").split()

    def ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def settle(self, count: int) -> None:
        """Waits until that many backends are sent to, and all is ready."""
        wait_until(lambda: len(self.backends()) == count and self.ready(), 120)

    def sign_in(self, name: str = "kasir") -> dict[str, str]:
        body = {"username": name, "password": PASSWORD}
        answer = requests.post(f"{self.url}/api/v1/auth/login", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        found: dict[str, str] = answer.json()
        return found


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[str]:
    """A device of that size with an empty file system of PostgreSQL's user."""
    image = folder / "disk.img"
    run = partial(subprocess.run, check=True, capture_output=True, text=True)
    run(["truncate", "-s", size, str(image)])
    run(["mkfs.ext4", "-q", "-m", "0", "-E", "root_owner=999:999", str(image)])
    device = run(["losetup", "-f", "--show", str(image)]).stdout.strip()
    try:
        yield device
    finally:
        run(["losetup", "-d", device])


@contextmanager
def production(
    folder: Path, port: int, backends: int = 2, disk: str | None = None
) -> Iterator[Production]:
    """Brings it up by the two commands of docs/deploy.md, with a menu and two accounts. `disk` is
    a device with an empty file system for PostgreSQL."""
    place = folder / "deploy"
    shutil.copytree(DEPLOY, place)
    name = f"pos-test-{port}"
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("DB_", "COMPOSE_"))}
    environ |= {"COMPOSE_PROJECT_NAME": name, "HTTP_PORT": str(port)}
    environ |= {"TUNNEL_SUBNET": "172.31.254.0/28", "TUNNEL_RANGE": "172.31.254.8/29"}
    environ |= {"TUNNEL_ADDRESS": "172.31.254.2", "APP_SUBNET": "172.31.254.128/26"}
    environ |= {"KUMA_PORT": "0", "BACKENDS": str(backends)}
    found = Production(place, name, port, environ)
    if disk is not None:
        options = {"type": "ext4", "device": disk}
        document = {"volumes": {"postgres-data": {"driver_opts": options}}}
        (place / "disk.yml").write_text(yaml.safe_dump(document))
        environ["COMPOSE_FILE"] = "docker-compose.prod.yml:disk.yml"
    try:
        found.run(str(place / "setup.sh"), "pos.example.com")
        with (place / ".env.production").open("a") as told:
            told.write("WEB_CONCURRENCY=1\n")  # each loads the whole application
            told.write("JWT_EXPIRATION=3h\n")  # who signed in stays so for as long as a test
        found.compose("up", "-d", "--wait")
        found.compose("exec", "-T", "backend", "sh", "-c", "cat > /tmp/menu.csv", text=MENU)
        found.posapp("seed", "--menu", "/tmp/menu.csv")
        for user, role in (("kasir", "cashier"), ("admin", "admin")):
            added = ("users", "add", user, "--role", role, "--full-name", user, "--password-stdin")
            found.posapp(*added, text=f"{PASSWORD}\n")
        yield found
    finally:
        subprocess.run(
            ["docker", "compose", "down", "-v", "-t", "1", "--remove-orphans"],
            cwd=place,
            env=environ,
            capture_output=True,
            check=False,
        )


@dataclass
class Tills:
    """Tills that sell without a pause, and send what was not answered again under its key."""

    production: Production
    count: int = 4
    answers: Counter[int] = field(default_factory=Counter)
    """Answers by status; 0 for none."""
    sold: list[int] = field(default_factory=list)
    """Ids of orders that were answered."""
    keys: list[str] = field(default_factory=list)
    """Keys of orders that were begun."""

    def __enter__(self) -> Tills:
        self._ended = threading.Event()
        token = self.production.sign_in()["access_token"]
        menu = requests.get(f"{self.production.url}/api/v1/public/menu", timeout=30).json()
        product = menu["categories"][0]["products"][0]["id"]
        self._threads = [
            threading.Thread(target=self._sell, args=(token, product), daemon=True)
            for _ in range(self.count)
        ]
        for thread in self._threads:
            thread.start()
        self.sell_on(5)
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in self._threads)

    def sell_on(self, orders: int, seconds: float = 90) -> None:
        """Waits until that many more orders are answered."""
        target = len(self.sold) + orders
        wait_until(lambda: len(self.sold) >= target, seconds)

    def _sell(self, token: str, product: int) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        body = {"type": "takeaway", "lines": [{"product_id": product, "quantity": 1}]}
        while not self._ended.is_set():
            key = str(uuid4())
            self.keys.append(key)
            self.sold.append(self._send(body, {**headers, "Idempotency-Key": key}))

    def _send(self, body: dict[str, Any], headers: dict[str, str]) -> int:
        pause = threading.Event()
        for _ in range(2000):
            try:
                answer = requests.post(
                    f"{self.production.url}/api/v1/orders", json=body, headers=headers, timeout=60
                )
            except requests.RequestException:
                self.answers[0] += 1
                pause.wait(0.1)
                continue
            self.answers[answer.status_code] += 1
            if answer.status_code == 201:
                return int(answer.json()["id"])
            if answer.status_code == 401:  # a token lives for fifteen minutes
                headers["Authorization"] = f"Bearer {self.production.sign_in()['access_token']}"
                continue
            assert answer.status_code in (429, 500, 502, 503, 504), answer.text
            pause.wait(0.1)
        raise AssertionError("never answered")

    def each_order_once(self) -> None:
        """Every order that was begun is in the books once, and no other is; the numbers have no
        gap."""
        assert len(self.sold) == len(self.keys) == len(set(self.sold))
        ids = ",".join(map(str, self.sold))
        counted = self.production.sql(f"SELECT count(*) FROM orders WHERE id IN ({ids})")
        beyond = self.production.sql(
            f"SELECT count(*) FROM orders WHERE id >= {min(self.sold)} AND id NOT IN ({ids})"
        )
        assert (int(counted), int(beyond)) == (len(self.sold), 0)
        gaps = self.production.sql(
            "SELECT count(*) FROM (SELECT 1 FROM orders GROUP BY business_date"
            " HAVING max(number) <> count(*)) days"
        )
        assert gaps == "0"

    def report(self, what: str) -> None:
        """One line on what the tills saw, shown by `pytest -s` and on failures."""
        seen = ", ".join(f"{n} × {code or 'no answer'}" for code, n in sorted(self.answers.items()))
        print(f"{what}: {len(self.sold)} orders; {seen}")
