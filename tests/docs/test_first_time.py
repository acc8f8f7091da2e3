"""The tutorial as its first reader goes through it: an empty environment, wheels, eleven lines."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from healthkit.testing import TELEGRAM, wait_until
from tests.docs.documents import ROOT, blocks

PAGE = "healthkit/docs/tutorial.md"
OURS = {"healthkit-core": "healthkit", "healthkit-disk": "plugins/disk"} | {
    "healthkit-http": "plugins/http"
}


class Internet:
    """A proxy on loopback behind which there is one host, which answers as Telegram does."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("api.telegram.org").configure_cert(context)
        self.trusted = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.trusted))
        self.asked: list[str] = []
        self.messages: list[str] = []
        internet = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self) -> None:
                internet.asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", 0)
                self.close_connection = False  # whatever version the request was of

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                internet.messages.append(body["text"])
                answer = b'{"ok": true, "result": {}}'
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def finish(self) -> None:
                super().finish()
                self.connection.close()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # whoever is connected has ended before it stops
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    found = Internet(tmp_path)
    yield found
    found.stop()


def run(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def started(*command: str | Path, cwd: Path, env: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=cwd, env=env, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def install(venv: Path, folder: Path) -> None:
    """What the page's first command does, with our distributions as wheels."""
    (first,) = re.findall(
        r"^\$ pip install (.+)$", "\n".join(blocks(PAGE, "console")), re.MULTILINE
    )
    wanted = first.split()
    assert set(OURS) <= set(wanted)
    for name in OURS.values():
        build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist")
        run(*build, cwd=ROOT / name)
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=folder)
    wheels = [str(path) for path in (folder / "dist").glob("*.whl")]
    others = [one for one in wanted if one not in OURS]
    pip = (sys.executable, "-m", "pip", "--python", venv / "bin" / "python", "install", "-qq")
    run(*pip, *wheels, *others, cwd=folder)


def answers(address: str, says: Callable[[requests.Response], Any]) -> bool:
    try:
        return bool(says(requests.get(address, timeout=5)))
    except (requests.RequestException, ValueError, LookupError):
        return False


@pytest.mark.deep
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_from_an_empty_environment_to_a_status_page_and_a_message(
    tmp_path: Path, internet: Internet, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("hatchling", reason="needs hatchling to build")
    begun = time.monotonic()
    venv, shop = tmp_path / "venv", tmp_path / "shop"
    install(venv, tmp_path)
    installed = time.monotonic()

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    shop.mkdir()
    written = {"app.py": blocks(PAGE, "python")[0], "healthkit.toml": blocks(PAGE, "toml")[0]}
    for name, text in written.items():
        (shop / name).write_text(text.replace("127.0.0.1:8000", f"127.0.0.1:{port}"))
    lines = sum(bool(line.strip()) for text in written.values() for line in text.splitlines())
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "PYTHON", "HEALTHKIT")) and "proxy" not in name.lower()
    }
    env = {**clean, "ALERT_URL": TELEGRAM, "HTTPS_PROXY": internet.address}
    env |= {"REQUESTS_CA_BUNDLE": str(internet.trusted), "PATH": f"{venv}/bin:{os.environ['PATH']}"}

    assert "all right" in run(venv / "bin" / "healthkit", "config", "check", cwd=shop, env=env)
    serve = (venv / "bin" / "uvicorn", "app:app", "--port", str(port), "--log-level", "critical")
    watch = (venv / "bin" / "healthkit", "watch")
    address = f"http://127.0.0.1:{port}"

    def shop_is_up(answer: requests.Response) -> bool:
        shown = {one["label"]: one["state"] for one in answer.json()["components"]}
        return set(shown) == {"Disk", "Shop"} and shown["Shop"] == "operational"

    with started(*watch, cwd=shop, env=env):
        with started(*serve, cwd=shop, env=env):
            wait_until(lambda: answers(f"{address}/health", lambda answer: answer.ok), 60)
            wait_until(lambda: answers(f"{address}/status.json", shop_is_up), 90)
            page = requests.get(f"{address}/status", timeout=60)
            assert (page.status_code, "Shop" in page.text) == (200, True)
        wait_until(lambda: any("🔴 Shop is DOWN" in text for text in internet.messages), 90)
    assert set(internet.asked) == {"api.telegram.org:443"}
    ended = time.monotonic()
    with capsys.disabled():
        print(
            f"\n{lines} lines; {ended - begun:.0f} s from nothing to the message,"
            f" {installed - begun:.0f} s of them to build and install"
        )
    assert lines == 11
