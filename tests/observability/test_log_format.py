"""A log record as one line of JSON."""

import json
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from posapp.observability.log_format import LONGEST_TEXT, format_record, stamp

NOW = datetime(2025, 12, 26, 10, 30, 45, 123_456, UTC)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)


def line(message="hello", error=None, **fields):
    return json.loads(format_record(NOW, "INFO", message, fields, error))


def test_a_request_line_has_the_form_of_the_runbook():
    found = line(
        "POST /api/v1/orders 201",
        request_id="550e8400-e29b-41d4-a716-446655440000",
        method="POST",
        path="/api/v1/orders",
        status_code=201,
        latency="45.3ms",
        latency_ms=45.3,
        client_ip="192.168.1.100",
        user_agent="Mozilla/5.0",
    )
    assert list(found) == [
        "timestamp",
        "level",
        "request_id",
        "method",
        "path",
        "status_code",
        "latency",
        "latency_ms",
        "client_ip",
        "user_agent",
        "message",
    ]
    assert found["timestamp"] == "2025-12-26T10:30:45.123Z"


def test_times_are_utc():
    jakarta = timezone(timedelta(hours=7))
    assert stamp(NOW.astimezone(jakarta)) == "2025-12-26T10:30:45.123Z"


@given(st.text(st.characters()), anything)
def test_whatever_is_logged_is_one_whole_line_of_json(message, value):
    raw = format_record(NOW, "INFO", message, {"field": value})
    assert raw.count(b"\n") == 1
    assert raw.endswith(b"\n")
    assert json.loads(raw)["level"] == "INFO"


def test_a_line_break_in_what_a_stranger_sent_makes_no_second_line():
    assert (
        format_record(NOW, "INFO", 'x\n{"level": "ERROR"}', {"path": "/a\r\nb"}).count(b"\n") == 1
    )


def test_an_error_has_its_traceback_without_secrets():
    try:
        raise ValueError("could not connect: password=hush host=db")
    except ValueError as error:
        found = line("it failed", error)
    assert found["error"] == "ValueError: could not connect: password=***MASKED*** host=db"
    assert "test_an_error_has_its_traceback" in found["traceback"]
    assert "hush" not in json.dumps(found)


def test_secrets_of_fields_are_masked_by_name_and_by_shape():
    found = line(token="abc", nested={"password": "hush"}, path="/x?api_key=hush")
    assert found["token"] == found["nested"]["password"] == "***MASKED***"
    assert found["path"] == "/x?api_key=***MASKED***"


def test_a_text_without_end_loses_its_middle():
    found = line("a" * LONGEST_TEXT + "b" * LONGEST_TEXT)
    assert len(found["message"]) < LONGEST_TEXT + 100
    assert "characters left out" in found["message"]


def test_what_json_cannot_say_is_told_all_the_same():
    found = line("odd \ud800", number=2**70, thing=object())
    assert "odd" in found["message"]
    assert str(2**70) in str(found["number"])
