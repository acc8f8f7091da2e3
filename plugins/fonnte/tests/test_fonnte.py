import json
from urllib.parse import parse_qs

import pytest
from apprise import Apprise

from healthkit import load_settings

TOKEN = "sEcReT-ToKeN-123"
MESSAGE = ("🔴 Database is DOWN", "URL: db", "Error: timeout")


@pytest.fixture
def fonnte(http_sink, monkeypatch, send_message):
    """The sink that stands in for api.fonnte.com."""
    from healthkit_fonnte.notify import NotifyFonnte

    monkeypatch.setattr(NotifyFonnte, "notify_url", http_sink.url("/send"))
    return http_sink


@pytest.fixture
def send(send_message):
    return lambda address: send_message(address, *MESSAGE)


def test_one_request_carries_the_message_to_all_numbers(fonnte, send):
    fonnte.answers(200, {"status": True, "detail": "success! message in queue"})
    assert send(f"fonnte://{TOKEN}/628123456789/+628987654321?to=62811111111").status == "sent"
    (request,) = fonnte.requests
    assert request.path == "/send"
    assert request.headers["Authorization"] == TOKEN
    assert parse_qs(request.body.decode()) == {
        "target": ["628123456789,628987654321,62811111111"],
        "message": ["🔴 Database is DOWN\nURL: db\nError: timeout"],
    }


def test_a_refusal_with_http_200_is_a_refusal_in_fonntes_own_words(fonnte, send):
    fonnte.answers(200, {"status": False, "reason": "token invalid"})
    answer = send(f"fonnte://{TOKEN}/628123456789")
    assert answer.status == "refused"
    assert answer.reason == "HTTP 200: token invalid"


def test_a_long_message_is_cut_to_what_whatsapp_takes(fonnte, send_message):
    fonnte.answers(200, {"status": True})
    send_message(f"fonnte://{TOKEN}/628123456789", "T", "word " * 3000)
    (text,) = parse_qs(fonnte.requests[0].body.decode())["message"]
    assert len(text) <= 4096
    assert text.endswith("word…")


@pytest.mark.parametrize("status", [429, 500])
def test_a_server_that_fails_is_a_failure_with_its_status(fonnte, send, status):
    fonnte.answers(status, {"reason": "busy"}, {"Retry-After": "9"})
    answer = send(f"fonnte://{TOKEN}/628123456789")
    assert (answer.status, answer.reason) == ("refused", f"HTTP {status}: busy")
    assert answer.retry_after.total_seconds() == 9


def test_an_answer_that_is_not_fonntes_is_a_failure(fonnte, send):
    fonnte.answers(200, b"<html>a captive portal</html>")
    assert send(f"fonnte://{TOKEN}/628123456789").status == "refused"


def test_nobody_listening_is_told_apart_from_a_refusal(fonnte, send):
    fonnte.stop()
    answer = send(f"fonnte://{TOKEN}/628123456789")
    assert (answer.status, answer.reason) == ("not reached", "Connection refused")


def test_the_token_is_never_shown(fonnte, send):
    fonnte.answers(200, {"status": False, "reason": f"unknown token {TOKEN}"})
    address = f"fonnte://{TOKEN}/628123456789"
    shown = Apprise.instantiate(address).url(privacy=True)
    assert TOKEN not in shown + send(address).reason
    assert "628123456789" in shown


def test_the_plugin_is_found_by_its_entry_point_and_its_addresses_are_checked_at_start():
    def load(url):
        document = {"service": {"name": "x"}, "channels": {"wa": {"url": url}}}
        return load_settings(document, environ={})

    assert load(f"fonnte://{TOKEN}/628123456789").channels["wa"].enabled
    for wrong in (f"fonnte://{TOKEN}", f"fonnte://{TOKEN}/0812x", "fonnte:///628123456789"):
        with pytest.raises(Exception, match="not a whole fonnte:// address") as caught:
            load(wrong)
        assert TOKEN not in json.dumps(caught.value.lines())
