"""Servers on loopback that keep what they are sent."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Sink:
    url: str
    received: list[tuple[str, bytes]] = field(default_factory=list)
    """Path and body of each request."""


@contextmanager
def sink() -> Iterator[Sink]:
    """Answers every GET and POST with 200 and keeps it."""
    kept = Sink("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            kept.received.append((self.path, body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def envelopes(kept: Sink) -> Iterator[dict[str, Any]]:
    """The items of the Sentry envelopes: their headers' type and their payload."""
    for path, body in kept.received:
        assert path.endswith("/envelope/")
        lines = body.split(b"\n")
        rest = lines[1:]
        while len(rest) >= 2:
            header = json.loads(rest[0] or b"{}")
            if header.get("type") in ("event", "transaction"):
                yield {"type": header["type"], **json.loads(rest[1])}
            rest = rest[2:]
