"""HTTP as bytes on a socket, as no client library would send it."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["Content-Type"] == "application/problem+json", self
        found: dict[str, Any] = json.loads(self.body)
        return found


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def read(sock: socket.socket, method: str = "GET") -> Answer:
    """The next answer on a connection."""
    with HTTPResponse(sock, method=method) as response:
        response.begin()
        return Answer(response.status, dict(response.headers.items()), response.read())


def send(url: str, data: bytes) -> Answer:
    """The first answer to these bytes, sent at once."""
    with connect(url) as sock:
        sock.sendall(data)
        return read(sock, "HEAD" if data.startswith(b"HEAD ") else "GET")


def request(
    path: bytes = b"/api/v1/public/menu",
    *fields: bytes,
    method: bytes = b"GET",
    version: bytes = b"HTTP/1.1",
    body: bytes = b"",
) -> bytes:
    """A request whose parts are put together as they are."""
    lines = [b" ".join((method, path, version)), b"Host: till.example", *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
