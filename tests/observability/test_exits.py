"""A secret that is planted where text leaves the process does not leave with it."""

import json
from datetime import UTC, datetime

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

from healthkit import SYSTEM_CLOCK
from posapp.backup.context import RunLog
from posapp.backup.drill import DrillResult
from posapp.backup.drill_report import report
from posapp.backup.model.backup import Backup, BackupName
from posapp.backup.notifications import Notifications
from posapp.http.problems import LONGEST_TEXT, MOST_ERRORS, problem
from posapp.observability.log_format import format_record
from posapp.observability.span_masking import MaskingExporter
from posapp.settings import Settings
from tests.backup.kit import manifest_for
from tests.observability.sinks import sink

PLANTED = "password=hush postgresql://pos:hu@sh@db/pos ?pass%77ord=hush"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def spans():
    """The spans that have been exported, and a tracer whose spans are."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(MaskingExporter(exporter)))
    yield exporter, provider.get_tracer("test")
    provider.shutdown()


def test_no_secret_leaves_with_a_span(spans):
    exporter, tracer = spans
    with tracer.start_as_current_span(f"GET {PLANTED}") as span:
        span.set_attribute("url.query", PLANTED)
        span.set_attribute("http.request.header.authorization", ["Bearer hush"])
        span.add_event(PLANTED, {"exception.message": PLANTED, "otp": "hush"})
        span.set_status(Status(StatusCode.ERROR, PLANTED))
        context = span.get_span_context()
    (sent,) = exporter.get_finished_spans()
    assert "hush" not in sent.to_json()
    assert "hu@sh" not in sent.to_json()
    assert sent.get_span_context() == context
    assert sent.status.status_code is StatusCode.ERROR
    assert sent.end_time >= sent.start_time


def test_no_secret_leaves_with_a_webhook():
    said = []
    with sink() as kept:
        settings = Settings.from_env({"ALERT_WEBHOOK": f"http://{kept.url}/hook"})
        Notifications(settings, {}, said.append).send_webhook(
            "backup-failed", f"pg_dump: {PLANTED}"
        )
    ((_, body),) = kept.received
    assert b"hush" not in body
    assert b"hu@sh" not in body
    assert json.loads(body)["text"].startswith("pg_dump: password=***MASKED***")
    assert said == []


def test_no_secret_and_no_escape_leaves_with_a_line_of_the_backups_log(tmp_path, capsys):
    log = RunLog(tmp_path / "backup.log", SYSTEM_CLOCK)
    log.write(f"\x1b[2J{PLANTED}\nforged \u202eline")
    for text in (capsys.readouterr().out, log.path.read_text()):
        assert "hush" not in text
        assert len(text.splitlines()) == 1
        assert r"\x1b[2J" in text
        assert r"\nforged \u202eline" in text


def test_no_secret_leaves_with_a_manifest_or_the_report_of_a_drill():
    name = BackupName.parse("steak_kenangan_daily_20260101_020000.dump.gz")
    texts = {"database": PLANTED, "server_version": PLANTED, "pg_dump_version": PLANTED}
    manifest = manifest_for(name, **texts)
    written = manifest.dump().decode()
    backup = Backup(name, 1, manifest, f"s3://key:hush@bucket/daily/{name}?secret=hush")
    result = DrillResult(
        backup, NOW, SYSTEM_CLOCK, issue=PLANTED, health=PLANTED, data_loss=PLANTED
    )
    for text in (written, report(result)):
        assert "hush" not in text
        assert "***MASKED***" in text


def test_what_a_stranger_sends_moves_no_cursor_and_turns_no_text_in_the_log():
    told = "\x1b[31m\u202eevil\r\n\u2066"
    raw = format_record(
        NOW, "INFO", f"GET /{told} 404", {"path": f"/{told}", "user_agent": told}, OSError(told)
    )
    line = json.loads(raw)
    for field in ("message", "path", "user_agent", "error"):
        assert line[field].isprintable(), field
        assert r"\x1b[31m\u202eevil\r\n\u2066" in line[field]
    assert "\u202e" not in line["traceback"]
    assert "\x1b" not in line["traceback"]


def test_a_field_of_any_length_is_a_line_of_bounded_length():
    fields = {"path": "/" * 10**6, "many": ["x" * 100] * 10_000}
    assert len(format_record(NOW, "INFO", "m" * 10**6, fields, OSError("e" * 10**6))) < 100_000


def test_a_secret_that_the_cut_of_a_long_text_divides_is_not_shown():
    for before in range(7_900, 8_100, 7):
        message = "x" * before + " password=" + "hush" * 30_000
        assert b"hush" not in format_record(NOW, "INFO", message, {})


def test_a_problem_names_few_errors_in_few_words_and_counts_the_rest():
    errors = [{"field": f"{n}{'f' * 9_999}", "message": f"\x1b{PLANTED}" * 99} for n in range(500)]
    answer = problem(422, "", errors)
    body = json.loads(answer.get_data())
    assert len(body["errors"]) == MOST_ERRORS
    assert body["errors_omitted"] == 500 - MOST_ERRORS
    assert max(len(text) for error in body["errors"] for text in error.values()) == LONGEST_TEXT
    assert len(answer.get_data()) < 20_000
    assert b"hush" not in answer.get_data()
    assert "\x1b" not in body["errors"][0]["message"]


def test_a_problem_of_few_errors_counts_no_others():
    assert "errors_omitted" not in json.loads(
        problem(422, "", [{"field": "a", "message": "b"}]).get_data()
    )
