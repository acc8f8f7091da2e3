"""A pytest plugin for people who write healthkit plugins: a scripted check, a Health in memory,
one run of a check, a wait for what another thread brings about, and a service on loopback that
keeps what it is sent."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from pydantic import Field, SecretStr

from healthkit import _threads
from healthkit._check import Check, CheckContext, HeartbeatReader, OutboxReader
from healthkit._config.service_tables import ServiceSettings, StoreSettings
from healthkit._config.settings import ConfiguredCheck, Settings
from healthkit._health import Health
from healthkit._model.checks import CheckInfo, Outcome

if TYPE_CHECKING:
    from healthkit._alerts.send_result import SendResult

Value = TypeVar("Value")


class ScriptedCheck(Check):
    """Returns what `outcome()` returns, and keeps the native thread of each run in `runs`."""

    outcome: Callable[[], Any] = Outcome.healthy
    runs: list[int] = Field(default_factory=list)

    def run(self, context: CheckContext) -> Outcome:
        self.runs.append(threading.get_native_id())
        found: Outcome = self.outcome()
        return found


def configured(name: str, check: Any, **info: Any) -> ConfiguredCheck:
    """Returns a check as the settings hold it, run often unless `info` has other values."""
    quick = {"interval": timedelta(seconds=0.05), "timeout": timedelta(seconds=10)}
    return ConfiguredCheck(
        info=CheckInfo(name=name, label=name.title(), **{**quick, **info}), type="test", check=check
    )


@pytest.fixture
def make_health(tmp_path: Path) -> Iterator[Callable[..., Health]]:
    """`make_health(database=ScriptedCheck(), disk=(ScriptedCheck(), {"fail_after": 1}))`."""
    made: list[Health] = []

    def make(**checks: Any) -> Health:
        given = {n: c if isinstance(c, tuple) else (c, {}) for n, c in checks.items()}
        settings = Settings(
            service=ServiceSettings(name="Test", version="1.2.3", environment="test"),
            store=StoreSettings(url=SecretStr(f"sqlite:///{tmp_path}/store.db")),
            checks=tuple(configured(n, c, **info) for n, (c, info) in given.items()),
        )
        made.append(Health(settings))
        return made[-1]

    yield make
    for health in made:
        health.stop()


@pytest.fixture
def run_check() -> Callable[..., Outcome]:
    """Runs a check once: `run_check(check, name="x", timeout=5.0, now=…, heartbeats=…)`."""

    def run(
        check: Check,
        *,
        name: str = "check",
        timeout: float = 5.0,
        now: datetime | None = None,
        heartbeats: HeartbeatReader | None = None,
        outbox: OutboxReader | None = None,
    ) -> Outcome:
        moment = now or datetime.now(UTC)
        return check.run(CheckContext(name, moment, timeout, heartbeats, outbox))

    return run


def wait_until(condition: Callable[[], Value], seconds: float = 30.0) -> Value:
    """The first true value of `condition`, which another thread or process brings about.

    Raises AssertionError when it has not come within `seconds`.
    """
    pause = threading.Event()
    for _ in range(int(seconds * 100)):
        if value := condition():
            return value
        pause.wait(0.01)
    raise AssertionError(f"it has not come about within {seconds:g} s")


@pytest.fixture
def until() -> Callable[..., Any]:
    """`wait_until` as a fixture."""
    return wait_until


class ManualClock:
    """A `healthkit.Clock` that stands still until `advance` moves it.

    Threads that wait by it are woken when their time has come, and by items of their queues.
    """

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self._elapsed = 0.0
        self._lock = _threads.unpatched("_thread", "allocate_lock")()
        self._waiting: list[tuple[float, Any]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        with suppress(Empty):
            self.receive(_threads.unpatched("queue", "SimpleQueue")(), seconds)

    def receive(self, queue: Any, timeout: float) -> Any:
        until = self._elapsed + timeout
        while (item := self._next(queue, until)) is _WAKE:
            pass  # it is time: the next look ends the wait, or goes on with it
        return item

    def _next(self, queue: Any, until: float) -> Any:
        with self._lock:
            entry = (until, queue)
            if wait := until > self._elapsed:
                self._waiting.append(entry)
        try:
            return queue.get() if wait else queue.get_nowait()
        finally:
            with self._lock, suppress(ValueError):
                self._waiting.remove(entry)

    def waiting(self) -> int:
        """Returns how many threads wait by this clock."""
        return len(self._waiting)

    def advance(self, seconds: float) -> None:
        """Moves both times on and wakes the threads whose time has come."""
        with self._lock:
            self._elapsed += seconds
            self._now += timedelta(seconds=seconds)
            due = [entry for entry in self._waiting if entry[0] <= self._elapsed]
            for entry in due:
                self._waiting.remove(entry)
                entry[1].put(_WAKE)

    def jump(self, by: timedelta) -> None:
        """Sets the time of day, as somebody sets a clock; no time passes."""
        self._now += by


_WAKE = object()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until the test moves it."""
    return ManualClock()


# A service on loopback


@dataclass(frozen=True, slots=True)
class Request:
    """A request that an `HttpSink` got."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class StubResponse:
    """A response of an `HttpSink`."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpSink:
    """An HTTP service on loopback that keeps its requests and responds as a test wants."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._respond: Callable[[Request], StubResponse] = lambda request: StubResponse()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(self.path, dict(self.headers), self.rfile.read(length))
                sink.requests.append(request)
                response = sink._respond(request)
                self.send_response(response.status)
                for name, value in {
                    **response.headers,
                    "Content-Length": str(len(response.body)),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(OSError):  # the client may have gone
                    self.wfile.write(response.body)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def url(self, path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def answers(
        self, status: int = 200, body: object = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        """Responds so to everything from now on; a body that is no bytes goes out as JSON."""
        encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.respond_with(lambda request: StubResponse(status, encoded, headers or {}))

    def respond_with(self, respond: Callable[[Request], StubResponse]) -> None:
        """Responds as the function returns, on the thread of the request: it may block."""
        self._respond = respond

    def stop(self) -> None:
        """From now on the port refuses connections."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


@pytest.fixture
def http_sink() -> Iterator[HttpSink]:
    """A service on loopback, stopped at the end."""
    sink = HttpSink()
    yield sink
    sink.stop()


@pytest.fixture
def send_message() -> Callable[..., SendResult]:
    """Sends a message as a watcher does: `send_message(url, "Title", "line", …)`.

    Channel types of installed plugins are known. The result has `status` ("sent", "refused", "not
    reached", "timed out"), `reason`, `retry_after` and `permanent`.
    """
    from healthkit._alerts import apprise_client
    from healthkit._alerts.messages import Message
    from healthkit._plugins import PluginManager

    PluginManager().register_each("healthkit_channel_types", apprise_client.register)

    def send(url: str, title: str, *lines: str) -> SendResult:
        return apprise_client.send(url, Message(title, lines))

    return send


TELEGRAM = "tgram://123456789:AABBCCDDEEFFGGHHIIJJKKLLMMNNOOPPQQR/987654321"
DISCORD = (
    "discord://417429632418316298/JHZ7lQml277CDHmQKMHI8qBe7bk2ZwO5UKjCiOAF7711o33MyqU344Qpgv7YTpadV"
)
"""Addresses that Apprise takes; they belong to no one."""


@pytest.fixture
def telegram(http_sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> HttpSink:
    """Telegram's interface on loopback: messages to `TELEGRAM` arrive there."""
    from apprise.plugins.telegram import NotifyTelegram

    monkeypatch.setattr(NotifyTelegram, "notify_url", http_sink.url("/bot"))
    http_sink.answers(200, {"ok": True, "result": {}})
    return http_sink


@pytest.fixture
def discord(http_sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> HttpSink:
    """Discord's interface on loopback: messages to `DISCORD` arrive there."""
    from apprise.plugins.discord import NotifyDiscord

    monkeypatch.setattr(NotifyDiscord, "notify_url", http_sink.url("/api/webhooks"))
    http_sink.answers(204)
    return http_sink


@pytest.fixture(scope="module")
def small_disk() -> Iterator[Callable[[int], Path]]:
    """`small_disk(20)`: a folder on a file system of 20 MB; skipped where mounting is refused.

    Not below pytest's own folder: what a killed run leaves mounted would be in its way for ever.
    """
    mounted: list[Path] = []

    def mount(megabytes: int) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
        options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        if os.geteuid() != 0 or _mount(*options):
            folder.rmdir()
            pytest.skip("mounting a file system is not allowed here")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607
        folder.rmdir()


def _mount(*options: str) -> int:
    """Returns the exit code of mount(8), the system's own."""
    return subprocess.run(["mount", *options], capture_output=True).returncode  # noqa: S607
