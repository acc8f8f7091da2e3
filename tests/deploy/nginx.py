"""Debian's nginx with the production's own configuration, and small servers behind it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from healthkit.testing import wait_until
from tests.deploy.stack import DEPLOY

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
USER = 10002
"""The user of the image, where the tests run as root."""

HASHES = ("'sha256-pK5WFJyn81OX4Exb0WOUKrrMTqizonE3b++PseAwO8Y='", "'sha256-second='")

LOCAL = ("127.0.0.2", "127.0.0.3")
"""The addresses of two backends."""


def need_nginx() -> None:
    if NGINX is None:
        if os.environ.get("CI") == "true":
            pytest.fail("nginx is missing: apt-get install nginx-light")
        pytest.skip("nginx is not installed: apt-get install nginx-light")


def as_user() -> dict[str, Any]:
    return {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}


@dataclass
class Door:
    """A running nginx."""

    url: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes]
    environ: dict[str, str]

    @property
    def pages(self) -> Path:
        return self.folder / "pages"

    def log(self) -> list[dict[str, Any]]:
        """The access log so far; every line is whole, and JSON."""
        lines = (self.folder / "access.log").read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def line(self, request_id: str) -> dict[str, Any]:
        found: dict[str, Any] = wait_until(
            lambda: next((one for one in self.log() if one["request_id"] == request_id), None)
        )
        return found

    def backends(self, *command: str) -> str:
        """Runs backends.sh in the place of this nginx."""
        done = self.script("backends.sh", *command)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def script(
        self, name: str, *arguments: str, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "nginx" / name), *arguments],
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            **as_user(),
        )

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.killpg(self.process.pid, signal.SIGKILL) if self._group_lives() else None
        shutil.rmtree(self.folder)

    def _group_lives(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True


def small_build(folder: Path, name: str = "one") -> Path:
    """A build of pages, small, with the shape of Vite's."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(f"<html><head></head><body>{name}</body></html>")
    (folder / "sw.js").write_text("// worker")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / ".stamp").write_text("secret of the build")
    (folder / "assets" / f"index-{name}.js").write_text(f"console.log({name!r})\n" * 50)
    return folder


def prepare(build: Path | None = None) -> Path:
    """A folder as the image has it, with pages published, for the user that nginx runs as."""
    folder = Path(tempfile.mkdtemp(prefix="pos-nginx-"))
    shutil.copytree(DEPLOY / "nginx", folder / "nginx")
    (folder / "style-hashes").write_text("\n".join(HASHES))
    for name in ("pages", "run"):
        (folder / name).mkdir()
    shutil.copytree(build, folder / "build") if build else small_build(folder / "build")
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, USER, USER)
    return folder


def start(folder: Path, backend: str, port: int, **environ: str) -> Door:
    """`backend` as BACKEND. Ready when it returns."""
    told = {
        "PATH": f"{os.environ['PATH']}:/usr/sbin",
        "NGINX_RUN": str(folder / "run"),
        "NGINX_CONF": str(folder / "nginx"),
        "PAGES": str(folder / "pages"),
        "STYLE_HASHES": str(folder / "style-hashes"),
        "LISTEN": f"127.0.0.1:{port}",
        "BACKEND": backend,
        "TZ": "UTC",
        **environ,
    }
    subprocess.run(
        [str(folder / "nginx" / "publish.sh"), str(folder / "build"), str(folder / "pages")],
        env=told,
        check=True,
        capture_output=True,
        **as_user(),
    )
    logs = [folder / "access.log", folder / "error.log"]
    for log in logs:
        log.touch()
        if os.geteuid() == 0:
            os.chown(log, USER, USER)
    with logs[0].open("wb") as output, logs[1].open("wb") as errors:
        process = subprocess.Popen(
            [str(folder / "nginx" / "start.sh")],
            env=told,
            stdout=output,
            stderr=errors,
            start_new_session=True,
            **as_user(),
        )
    door = Door(f"http://127.0.0.1:{port}", port, folder, process, told)

    def lives() -> bool:
        if process.poll() is not None:
            raise AssertionError((folder / "error.log").read_text())
        try:
            return requests.get(f"{door.url}/nginx/live", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    wait_until(lives, 60)
    return door


@dataclass
class Upstream:
    """A server of a few lines: answers /readyz, records what else it gets, and does with it what
    `act` says: writes to the connection, or closes it."""

    address: str
    port: int
    act: Callable[[str, socket.socket], None] = lambda head, client: answer(client)
    got: list[str] = field(default_factory=list)
    ready: bool = True

    def __post_init__(self) -> None:
        self._listener = socket.create_server((self.address, self.port), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            client.settimeout(20)
            try:
                while (head := self._read(client)) is not None:
                    if " /readyz " in head:
                        answer(client, 200 if self.ready else 503)
                        return
                    self.got.append(head)
                    self.act(head, client)
            except OSError:
                return

    @staticmethod
    def _read(client: socket.socket) -> str | None:
        """A request with its body; None at the end."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = client.recv(65536)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        text = head.decode("latin-1")
        length = next(
            (int(x[15:]) for x in text.lower().splitlines() if x.startswith("content-length:")), 0
        )
        while len(body) < length:
            body += client.recv(65536)
        return text

    def header(self, name: str, position: int = -1) -> list[str]:
        """The values of a header in one of the requests."""
        lines = (line.partition(": ") for line in self.got[position].splitlines()[1:])
        return [value for key, _, value in lines if key.lower() == name.lower()]

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def answer(
    client: socket.socket, status: int = 200, body: bytes = b"{}", headers: str = ""
) -> None:
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}"
    client.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)


def raw(door: Door, data: bytes, source: str = "127.0.0.1") -> bytes:
    """Everything that comes back for bytes."""
    with socket.create_connection(("127.0.0.1", door.port), 10, (source, 0)) as client:
        client.sendall(data)
        client.settimeout(25)
        received = b""
        try:
            while piece := client.recv(65536):
                received += piece
        except TimeoutError:
            pass
        return received


def get(door: Door, path: str, source: str = "127.0.0.1", **headers: str) -> str:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"GET {path} HTTP/1.1\r\nHost: pos.example.com\r\nConnection: close\r\n{lines}\r\n"
    return raw(door, head.encode("latin-1"), source).decode("latin-1")
