"""What people do with alerts at a command line, beside a watcher or without one."""

import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from healthkit import CheckInfo, Event, EventKind, Outcome
from healthkit._model.alerts import Delivery, Level, State
from healthkit._store import history, incidents, lease, outbox, outbox_status
from healthkit._store.database import Store
from healthkit.cli import main
from healthkit.testing import StubResponse

NOW = datetime.now(UTC)


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/store.db")
    yield store
    store.close()


@pytest.fixture
def run(tmp_path, http_sink):
    def invoke(*arguments, more=""):
        (tmp_path / "healthkit.toml").write_text(f"""
            [service]
            name = "Till"
            timezone = "Asia/Jakarta"
            [store]
            url = "sqlite:///{tmp_path}/store.db"
            [checks.nightly]
            type = "heartbeat"
            every = "24h"
            tags = ["backup"]
            [channels.telegram]
            url = "{http_sink.url("/telegram", "json")}"
            [channels.call]
            url = ""
            {more}
            """)
        return CliRunner().invoke(main, ["--config", f"{tmp_path}/healthkit.toml", *arguments])

    return invoke


def fault(store, error="late by 3h0m0s"):
    """An open incident of the check, and a dead letter of it."""
    check = CheckInfo("nightly", "Nightly")
    event = Event(EventKind.DOWN, check, NOW, Outcome.unhealthy(error), NOW)
    with store.transaction() as connection:
        number = incidents.open_incident(connection, check, Level.DOWN, error, NOW)
        stored = incidents.StoredState(State(level=Level.DOWN), number, 1, 1)
        incidents.save_state(connection, "nightly", stored, NOW)
        stored_event = incidents.add_event(connection, replace(event, incident=number))
        outbox.enqueue(connection, stored_event, Delivery("telegram", NOW), NOW)
        claim = outbox.claim_batch(connection, "telegram", NOW, burst=5, named=5)
        outbox.reject(connection, claim, NOW, "refused: HTTP 400", None)
    return number


def one_line(result):
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    return result.stderr


def test_status_shows_watcher_checks_channels_dead_letters_and_silences(run, store):
    number = fault(store)
    with store.transaction() as connection:
        lease.acquire(
            connection, "m/1/2 tablet process 7", timedelta(seconds=10), datetime.now(UTC)
        )
        history.add(
            connection,
            [history.Row("nightly", NOW, s, 0.1) for s in ("healthy", "unhealthy")],
            NOW,
        )
    run("silence", "add", "nightly", "--for", "2h", "--reason", "new disk")
    output = run("status").output
    assert "Till: watched by tablet process 7, since " in output
    assert re.search(rf"nightly +down +20.* WIB +50.00% +50.00% +{number}: late by 3h", output)
    assert re.search(r"telegram +not used yet +0 +1 +-", output)
    assert re.search(r"call +off", output)
    assert re.search(r"telegram +1 +🔴 Nightly is DOWN +refused: HTTP 400", output)
    assert "send them again with: healthkit alert retry" in output
    assert re.search(r"1 +nightly +20.* WIB .* new disk", output)


def test_status_says_when_nobody_watches_and_when_a_channel_fails(run, store):
    with store.transaction() as connection:
        check = CheckInfo("nightly", "Nightly")
        told = Event(EventKind.DOWN, check, NOW, Outcome.unhealthy("late"))
        event = incidents.add_event(connection, told)
        outbox.enqueue(connection, event, Delivery("telegram", NOW), NOW)
        claim = outbox.claim_batch(connection, "telegram", NOW, burst=5, named=5)
        outbox.failed(connection, claim, NOW, "refused: HTTP 500", NOW)
    output = run("status").output
    assert "Till: no watcher runs; start one with: healthkit watch" in output
    assert "not seen yet" in output
    assert re.search(r"telegram +fails since 20.*: refused: HTTP 500; tried again 20", output)


def test_incidents_are_listed_and_can_be_acknowledged_once(run, store):
    assert run("incidents").output == "no incident\n"
    number = fault(store)
    assert re.search(rf"{number} +nightly +high +down +20.* - +- +late", run("incidents").output)
    done = run("ack", str(number), "--by", "ani")
    assert done.exit_code == 0
    assert "is acknowledged: no more reminders, no escalation" in done.output
    assert "ani" in run("incidents", "--open").output
    assert "acknowledged by ani" in run("status").output
    with store.transaction() as connection:
        incidents.close_incident(connection, number, NOW)
    assert run("incidents", "--open").output == "no open incident\n"
    assert "has ended" in one_line(run("ack", str(number)))
    assert "there is no incident 99" in one_line(run("ack", "99"))


def test_a_list_that_is_longer_says_so_and_where_it_goes_on(run, store):
    numbers = [fault(store, error=f"late {n}") for n in range(23)]
    first = run("incidents")
    assert first.output.splitlines()[-1] == f"more: --before {numbers[3]}"
    rest = run("incidents", "--before", str(numbers[3]))
    assert "more:" not in rest.output
    listed = re.findall(r"^(\d+) ", first.output + rest.output, re.MULTILINE)
    assert list(map(int, listed)) == numbers[::-1]
    assert "more:" not in run("incidents", "--limit", "23").output
    shown = run("status").output
    assert shown.count("refused: HTTP 400") == 10
    assert "\nand more\n" in shown


def test_silences_are_added_listed_and_ended(run):
    assert run("silence", "list").output == "no silence\n"
    added = run("silence", "add", "--tag", "backup", "--for", "1h30m")
    assert added.output.startswith("silence 1: tag backup until ")
    assert run("silence", "add", "--all", "--for", "5m").exit_code == 0
    listed = run("silence", "list").output
    assert "every check" in listed
    assert "tag backup" in listed
    assert run("silence", "end", "1").output == "silence 1 has ended\n"
    assert "no silence 1 holds" in one_line(run("silence", "end", "1"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nightl", "--for", "1h"], "no check is named 'nightl'; did you mean nightly?"),
        (["--tag", "backups", "--for", "1h"], "did you mean backup?"),
        (["--for", "1h"], "name checks or tags, or give --all"),
        (["nightly", "--all", "--for", "1h"], "name checks or tags, or give --all"),
    ],
)
def test_a_silence_of_something_that_is_not_there_is_refused(run, arguments, words):
    assert words in one_line(run("silence", "add", *arguments))


def test_a_text_of_anybody_is_kept_on_one_line_masked_and_as_any_store_can_hold_it(run, store):
    number = fault(store)
    reason = "disk\x1b[31m \udcff password=hunter2\nsecond line " + "x" * 10_000
    assert run("silence", "add", "nightly", "--for", "1h", "--reason", reason).exit_code == 0
    assert run("ack", str(number), "--by", "Budi\udcff\x1b[2J\nforged line").exit_code == 0
    for listed in (run("silence", "list"), run("incidents"), run("status")):
        assert listed.exit_code == 0
        assert "\\x1b[" in listed.output
        assert "\\udcff" in listed.output
        assert "hunter2" not in listed.output
        assert "\x1b" not in listed.output
        assert not any(line.startswith(("second", "forged")) for line in listed.output.splitlines())
        assert max(map(len, listed.output.splitlines())) < 1_000


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "x"])
@pytest.mark.parametrize("words", [("ack",), ("silence", "end"), ("incidents", "--before")])
def test_a_number_that_no_store_counts_to_is_refused(run, words, number):
    given = (*words, number) if "--before" in words else (*words, "--", number)
    result = run(*given)
    assert (result.exit_code, type(result.exception)) == (2, SystemExit)
    assert number in result.output


@pytest.mark.parametrize("length", ["-1h", "0s", "soon", "1"])
def test_a_silence_of_a_wrong_length_is_refused(run, length):
    result = run("silence", "add", "nightly", f"--for={length}")
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_alert_test_says_for_each_channel_whether_it_arrived(run, http_sink):
    result = run("alert", "test")
    assert result.exit_code == 0
    assert re.search(r"telegram +sent +json://", result.output)
    assert re.search(r"call +off: its url is empty", result.output)
    (request,) = http_sink.requests
    assert request.json()["title"] == "🔔 Test message from Till"


def test_alert_test_tells_a_refusal_in_the_services_own_words_and_exits_1(run, http_sink):
    http_sink.answers(403, {"message": "bot was kicked from the group"})
    result = run("alert", "test", "--channel", "telegram")
    assert result.exit_code == 1
    assert "refused: HTTP 403: bot was kicked from the group" in result.output
    http_sink.stop()
    assert "not reached: Connection refused" in run("alert", "test").output


def test_alert_test_waits_for_a_channel_no_longer_than_its_timeout(run, http_sink):
    release = threading.Event()

    def hang(request):
        release.wait(60)
        return StubResponse()

    http_sink.respond_with(hang)
    more = f"""
            [channels.slow]
            url = "{http_sink.url("/slow?rto=20", "json")}"
            timeout = "200ms"
            """
    result = run("alert", "test", "--channel", "slow", more=more)
    release.set()
    assert result.exit_code == 1
    assert "timed out: no answer within 0.2s" in result.output


def test_alert_test_of_a_channel_that_is_not_there_or_off_does_not_pass(run):
    wrong = one_line(run("alert", "test", "--channel", "telegrm"))
    assert "no channel is named 'telegrm'; did you mean telegram?" in wrong
    assert run("alert", "test", "--channel", "call").exit_code == 1


def test_alert_retry_sends_dead_letters_again(run, store):
    assert run("alert", "retry").output == "0 messages wait to be sent again\n"
    fault(store)
    result = run("alert", "retry")
    assert result.stdout == "1 message waits to be sent again\n"
    assert "no watcher runs to send them" in result.stderr
    with store.reading() as connection:
        assert outbox_status.count_by_channel(connection) == {("telegram", "waiting"): 1}


def test_a_store_that_cannot_be_opened_is_one_line(run, tmp_path):
    (tmp_path / "store.db").mkdir()
    for command in (["status"], ["incidents"], ["ack", "1"], ["alert", "retry"]):
        assert "the store cannot be opened" in one_line(run(*command))
