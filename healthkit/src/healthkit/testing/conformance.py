"""The suite that every check type and channel type has to bear, as pytest classes to inherit from:

    from healthkit.testing.conformance import CheckConformance

    class TestFreezer(CheckConformance):
        check_type = Freezer
        settings = {"sensor": "/dev/null"}     # what stands in [checks.NAME], so that it can run

A check that asks something over TCP inherits from `NetworkCheckConformance`, a channel from
`ChannelConformance`. All of healthkit's own pass it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from healthkit import _outcomes, _rendering
from healthkit._check import CheckContext
from healthkit._config.checks import build
from healthkit._health import Health
from healthkit._hookspecs import hookimpl
from healthkit._model.checks import Outcome, Status
from healthkit._reading import load_settings
from healthkit.errors import ConfigError, ConfigProblem
from healthkit.masking import escape_controls
from healthkit.testing import HttpSink, wait_until

CANARY = "c4n4ry0b6e1f7d29a83e5c40d6f1b72"
"""A secret that must not be seen again."""

NONSENSE: Sequence[Any] = (
    *(None, True, -1, 0, 2**70, float("nan"), float("inf"), "", " ", "\0", "\ud800", "x" * 100_000),
    *("-1s", "1e999", "99999999999d", "://", "http://[", "../../..", "%00", "${", [], [None]),
    *([["x"]], {}, {"a": {"b": {}}}, {"": ""}, b"\xff", datetime.max.replace(tzinfo=UTC)),
)
"""Values that no key means; a type takes them or names the key."""

STRANGERS: Sequence[bytes] = (
    *(
        b"",
        b"\0" * 100,
        b"\xff\xfe\xfd",
        b"\x1b[2J\x1b]0;title\x07",
        "\u202egnp\u0000\n\r\n".encode(),
    ),
    *(
        b"A" * 300_000,
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/9.9 999 \xff\r\n",
        b"-ERR <@everyone>\r\n",
    ),
    b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n{",
)
"""What a server may answer that is not the one that was meant."""

TEXTS: Sequence[str] = (
    *(
        "x",
        "<b>&amp;*_`[x](y)",
        "@everyone <!channel>",
        "\0\x1b[2J",
        "\ud800",
        "\u202e",
        "x" * 50_000,
    ),
    *("line\n" * 2_000, "{{ 1/0 }} ${HOME} %s", "🔴" * 500),
)
"""Texts of messages."""

RUN_WITHIN = 30.0
"""Seconds after which a run counts as one that never ends; its own timeout is 2 s at most."""


class _Offers:
    def __init__(self, check_type: type[Any]) -> None:
        self._check_type = check_type

    @hookimpl
    def healthkit_check_types(self) -> Mapping[str, type[Any]]:
        return {"subject-of-conformance": self._check_type}


class CheckConformance:
    """`check_type` is the type; `settings` are its own keys, by which a run can be made anywhere:
    what it looks at may well be missing, for an unhealthy answer is one too."""

    check_type: ClassVar[type[Any]]
    settings: ClassVar[Mapping[str, Any]] = {}

    # What a subclass may say in another way

    def secret_settings(self) -> Mapping[str, Any]:
        """Returns keys whose values hold `CANARY`: each key that is a secret, as it is."""
        fields = getattr(self.check_type, "model_fields", {})
        secret = [n for n, f in fields.items() if "SecretStr" in str(f.annotation)]
        return dict.fromkeys(secret, CANARY)

    def load(self, folder: Any, **own: Any) -> Health:
        """Returns a Health with the check alone. Raises ConfigError."""
        given = {key: _plain(value) for key, value in {**self.settings, **own}.items()}
        return Health(
            load_settings(
                {
                    "service": {"name": "Conformance"},
                    "store": {"url": f"sqlite:///{folder}/store.db"},
                    "checks": {
                        "subject": {"type": "subject-of-conformance", "timeout": "2s", **given}
                    },
                },
                environ={},
                plugins=[_Offers(self.check_type)],
            )
        )

    # The suite

    def test_nonsense_in_any_key_is_taken_or_named(self) -> None:
        for key in getattr(self.check_type, "model_fields", self.settings):
            for value in NONSENSE:
                problems: list[ConfigProblem] = []
                given = {**self.settings, key: value}
                made = build(self.check_type, given, "checks.subject", problems)
                assert (made is None) is bool(problems), (key, value)
                for one in problems:
                    assert one.key.startswith("checks.subject"), (key, value)
                    assert escape_controls(one.message) == one.message, (key, value)

    def test_true_is_no_number(self) -> None:
        for key, field in getattr(self.check_type, "model_fields", {}).items():
            if field.annotation in (int, float, int | None, float | None):
                problems: list[ConfigProblem] = []
                given = {**self.settings, key: True}
                assert build(self.check_type, given, "checks.subject", problems) is None, key
                assert f"checks.subject.{key}" in [one.key for one in problems], key

    def test_a_key_that_it_does_not_know_is_a_mistake(self, tmp_path: Any) -> None:
        with pytest.raises(ConfigError, match=r"checks\.subject\.no_such_key: unknown key"):
            self.load(tmp_path, no_such_key=1)

    def test_a_run_ends_with_an_outcome_in_one_line(self, tmp_path: Any) -> None:
        answer = _run(self._check(tmp_path))
        assert type(answer) is Outcome, "run() returns an Outcome and raises nothing"
        _in_one_line(answer)
        _rendering.dump(answer.details)

    def test_it_runs_again_and_lets_go_at_any_time(self, tmp_path: Any) -> None:
        check = self._check(tmp_path)
        close = getattr(check, "close", lambda: None)
        close()
        first = _run(check)
        close()
        close()
        assert type(_run(check)) is type(first) is Outcome
        close()

    def test_no_secret_of_its_settings_leaves_it(
        self, tmp_path: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        said: list[str] = []
        try:
            health = self.load(tmp_path, **self.secret_settings())
        except ConfigError as error:
            said = list(error.lines())
        else:
            health.check_once()
            said = [
                health.response(name).body.decode("utf-8", "replace")
                for name in ("json", "plain", "prometheus", "health+json")
            ]
            (configured,) = health.settings.checks
            said += [repr(configured.check), repr(configured.info), repr(health.settings)]
            health.stop()
        said += [record.getMessage() for record in caplog.records if _ours(record.name)]
        assert not [text for text in said if CANARY in text]

    def test_it_leaves_no_thread_behind(self, tmp_path: Any) -> None:
        check = self._check(tmp_path)
        before = set(threading.enumerate())
        _run(check)
        getattr(check, "close", lambda: None)()
        wait_until(lambda: not [one for one in threading.enumerate() if one not in before])

    def _check(self, folder: Any, **own: Any) -> Any:
        (configured,) = self.load(folder, **own).settings.checks
        return configured.check


class NetworkCheckConformance(CheckConformance):
    """For a check that connects by TCP: `address(host, port)` returns the keys that lead it there,
    so that it waits for an answer."""

    def address(self, host: str, port: int) -> Mapping[str, Any]:
        raise NotImplementedError

    def test_a_server_that_never_answers_is_unhealthy_in_time(self, tmp_path: Any) -> None:
        with _Server(None) as server:
            check = self._check(tmp_path, **self.address("127.0.0.1", server.port))
            answer = _run(check, timeout=1.0)
        assert type(answer) is Outcome
        assert answer.status is Status.UNHEALTHY
        _in_one_line(answer)

    def test_whatever_a_stranger_answers_it_is_said_in_one_line(self, tmp_path: Any) -> None:
        for answer in STRANGERS:
            with _Server(answer) as server:
                check = self._check(tmp_path, **self.address("127.0.0.1", server.port))
                found = _run(check, timeout=1.0)
            assert type(found) is Outcome, answer[:50]
            _in_one_line(found)

    def test_one_that_is_stopped_in_mid_run_lets_the_connection_go(self, tmp_path: Any) -> None:
        with _Server(None) as server:
            own = {**self.address("127.0.0.1", server.port), "timeout": "1s"}
            health = self.load(tmp_path, **own)
            health.start()
            wait_until(lambda: server.taken)
            health.stop(0.1)
            wait_until(lambda: server.let_go)


class ChannelConformance:
    """`schema` is the type's, of the installed plugins; `url(sink, monkeypatch)` leads its requests
    to a sink on loopback and returns an address in which `CANARY` is the secret."""

    schema: ClassVar[str]

    def url(self, sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> str:
        raise NotImplementedError

    def test_an_address_that_is_none_is_named_and_not_shown(self) -> None:
        for rest in ("", "/", "//", "?", "@", f"{CANARY}@", "\0", "%", "[", "x" * 10_000, "\ud800"):
            document = {
                "service": {"name": "Conformance"},
                "channels": {"subject": {"url": f"{self.schema}://{rest}"}},
            }
            lines = _mistakes(document)
            assert all("channels.subject.url" in line for line in lines), lines
            assert CANARY not in "".join(lines)

    def test_every_text_is_sent_or_refused_and_none_raises(
        self,
        http_sink: HttpSink,
        monkeypatch: pytest.MonkeyPatch,
        send_message: Callable[..., Any],
    ) -> None:
        url = self.url(http_sink, monkeypatch)
        for text in TEXTS:
            found = send_message(url, text, text)
            assert found.status in ("sent", "refused", "not reached")
            assert CANARY not in found.reason

    def test_whatever_a_stranger_answers_it_is_a_result(
        self,
        http_sink: HttpSink,
        monkeypatch: pytest.MonkeyPatch,
        send_message: Callable[..., Any],
    ) -> None:
        url = self.url(http_sink, monkeypatch)
        for status in (200, 204, 302, 400, 401, 429, 500, 503):
            for body in (b"", b"{", b"\xff\0", b"[1]", b"null", f'"{CANARY}"'.encode()):
                http_sink.answers(status, body)
                found = send_message(url, "Title", "line")
                assert found.status in ("sent", "refused", "not reached")
                assert status < 400 or found.status != "sent", status
                assert CANARY not in found.reason

    def test_it_leaves_no_thread_behind(
        self,
        http_sink: HttpSink,
        monkeypatch: pytest.MonkeyPatch,
        send_message: Callable[..., Any],
    ) -> None:
        url = self.url(http_sink, monkeypatch)
        before = set(threading.enumerate())
        send_message(url, "Title", "line")
        wait_until(lambda: not [one for one in threading.enumerate() if one not in before])


class _Server:
    """Takes connections on loopback and answers each with `answer`; with None never."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.taken = 0
        self.let_go = 0
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> _Server:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.taken += 1
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(RUN_WITHIN)
            if self._answer is not None:
                connection.sendall(self._answer)
                connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass
        self.let_go += 1


def _run(check: Any, timeout: float = 2.0) -> Any:
    """Returns the answer of a run on a thread of its own, or what it raised."""
    answers: list[Any] = []

    def run() -> None:
        try:
            context = CheckContext("subject", datetime.now(UTC), timeout, _Nothing(), _Nothing())
            answers.append(check.run(context))
        except BaseException as error:  # noqa: BLE001  told by the test that it is no Outcome
            answers.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(RUN_WITHIN)
    assert not thread.is_alive(), "the run has not ended long after its timeout"
    thread.join()
    return answers[0]


class _Nothing:
    """Readers of a store in which nothing has come yet."""

    def last_beat(self, name: str) -> None:
        return None

    def waiting_since(self, name: str, now: datetime) -> datetime:
        return now

    def last_run(self, name: str) -> None:
        return None

    def outbox_status(self, now: datetime) -> Any:
        from healthkit._model.alerts import OutboxStatus

        return OutboxStatus()


def _mistakes(document: Mapping[str, Any]) -> Sequence[str]:
    """Returns what is wrong with a configuration, a line each."""
    try:
        load_settings(document, environ={})
    except ConfigError as error:
        return list(error.lines())
    return []


def _in_one_line(outcome: Outcome) -> None:
    """Asserts that the message is fit for people, once it was made whole as every answer is."""
    whole = _outcomes.make_whole(outcome)
    assert whole.status is outcome.status, whole.message
    message = whole.message or ""
    assert whole.status is Status.HEALTHY or message, "what is not healthy says why"
    assert len(message.splitlines()) <= 1
    assert escape_controls(message) == message


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _ours(logger: str) -> bool:
    return logger.partition(".")[0].startswith("healthkit")
