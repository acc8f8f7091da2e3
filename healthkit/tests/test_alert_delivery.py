"""Couriers between a real outbox and real services on loopback."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from healthkit import CheckInfo, Event, EventKind, Outcome, Severity, _threads
from healthkit._alerts import delivery
from healthkit._alerts.delivery import backoff
from healthkit._model.alerts import Delivery
from healthkit._store import incidents, lease, outbox
from healthkit._store.database import Store
from healthkit.testing import TELEGRAM, StubResponse, wait_until

SECOND = timedelta(seconds=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""Where a `ManualClock` begins."""


def event(number, severity=Severity.HIGH, kind=EventKind.DOWN):
    check = CheckInfo(f"c{number}", f"Check {number}", severity=severity, target="x")
    return Event(kind, check, NOW, Outcome.unhealthy("gone"))


def blocking(release):
    """Answers once `release` is set."""

    def answer(request):
        release.wait(60)
        return StubResponse()

    return answer


def titles(sink):
    return [request.json()["title"] for request in sink.requests]


def test_messages_of_a_channel_arrive_in_their_order_and_each_once(post, http_sink):
    post.open(a={"url": http_sink.url("/a", "json")})
    post.owe("a", *(event(i) for i in range(20)))
    post.until(lambda: post.counts() == {})
    assert titles(http_sink) == [f"🔴 Check {i} is DOWN" for i in range(20)]


def test_after_a_failure_the_same_message_comes_first_and_nothing_is_lost(post, http_sink):
    answers = iter([500, 503])
    http_sink.respond_with(lambda request: StubResponse(next(answers, 200)))
    post.open(a={"url": http_sink.url("/a", "json")})
    post.owe("a", event(0), event(1))
    post.until(lambda: post.counts() == {})
    assert titles(http_sink) == ["🔴 Check 0 is DOWN"] * 3 + ["🔴 Check 1 is DOWN"]
    assert post.circuit("a").failures == 0


def test_a_channel_that_hangs_delays_no_other_and_its_message_is_tried_again(
    post, http_sink, other_sink
):
    release = threading.Event()
    http_sink.respond_with(blocking(release))
    post.open(
        a={"url": http_sink.url("/a", "json"), "timeout": 0.3 * SECOND},
        b={"url": other_sink.url("/b", "json")},
    )
    post.owe("a", event(0))
    wait_until(lambda: http_sink.requests)
    post.owe("b", event(1))
    wait_until(lambda: other_sink.requests)
    circuit = wait_until(lambda: (c := post.circuit("a")).failures and c)
    assert circuit.error == "timed out: no answer within 0.3s; it may have arrived"
    release.set()
    post.until(lambda: post.counts() == {})
    assert len(http_sink.requests) == 2, "once unknown, and once more"


@pytest.mark.deep
def test_no_more_than_three_sends_hang_at_once(post, http_sink):
    release = threading.Event()
    http_sink.respond_with(blocking(release))
    post.open(a={"url": http_sink.url("/a?rto=20", "json"), "timeout": 0.05 * SECOND})
    post.owe("a", event(0))
    post.until(lambda: post.circuit("a").failures > 6)
    assert len(http_sink.requests) == 3
    assert "3 that overran still hang" in post.circuit("a").error
    release.set()
    post.until(lambda: post.counts() == {})


def test_retry_after_is_respected(post, telegram):
    telegram.answers(429, {"description": "slow down", "parameters": {"retry_after": 2}})
    post.open(a={"url": TELEGRAM})
    post.owe("a", event(0))
    circuit = wait_until(lambda: (c := post.circuit("a")).failures and c)
    assert circuit.retry_at - circuit.failing_since >= 2 * SECOND
    telegram.answers(200, {"ok": True})
    post.until(lambda: post.counts() == {})
    assert len(telegram.requests) == 2
    assert post.clock.now() >= circuit.retry_at


def test_the_circuit_opens_after_three_failures_and_closes_with_the_first_success(post, http_sink):
    http_sink.answers(500)
    post.open(a={"url": http_sink.url("/a", "json")})
    post.owe("a", event(0))
    post.until(lambda: post.circuit("a").is_open)
    assert post.store.outbox_status(post.clock.now()).failing == {"a": "refused: HTTP 500"}
    http_sink.answers(200)
    post.until(lambda: not post.circuit("a").is_open)
    assert post.store.outbox_status(post.clock.now()).failing == {}


def test_a_channel_that_stays_dead_past_its_patience_hands_over_to_its_fallback(
    post, http_sink, other_sink
):
    http_sink.stop()
    post.open(
        a={
            "url": http_sink.url("/a", "json"),
            "fallback": "off",
            "give_up_after": timedelta(seconds=1),
        },
        off={"url": "", "fallback": "b"},
        b={"url": other_sink.url("/b", "json")},
    )
    post.owe("a", event(0), event(1))
    post.until(lambda: len(other_sink.requests) == 2)
    assert titles(other_sink) == ["🔴 Check 0 is DOWN", "🔴 Check 1 is DOWN"]
    body = other_sink.requests[0].json()["message"]
    assert body.splitlines()[-1] == "(Meant for a, which does not take it.)"
    post.until(lambda: post.counts() == {})


def test_a_message_that_the_service_will_never_take_is_a_dead_letter_and_blocks_no_other(
    post, http_sink
):

    def refuse_the_first(request):
        return StubResponse(400 if "Check 0" in request.json()["title"] else 200)

    http_sink.respond_with(refuse_the_first)
    post.open(a={"url": http_sink.url("/a", "json")})
    post.owe("a", event(0), event(1))
    post.until(lambda: post.counts() == {("a", "dead"): 1})
    assert titles(http_sink) == ["🔴 Check 0 is DOWN"] * 3 + ["🔴 Check 1 is DOWN"]
    http_sink.answers(200)
    with post.store.transaction() as connection:
        assert outbox.retry(connection, post.clock.now(), {"a"}) == 1
    post.until(lambda: post.counts() == {})
    assert titles(http_sink)[-1] == "🔴 Check 0 is DOWN"


def test_five_hundred_events_are_few_messages_of_which_one_says_so(post, http_sink):
    post.open(a={"url": http_sink.url("/a", "json")}, alerts={"burst": 5})
    post.owe("a", *(event(i, Severity.HIGH if i else Severity.CRITICAL) for i in range(500)))
    post.until(lambda: post.counts() == {})
    (request,) = http_sink.requests
    body = request.json()
    assert body["title"] == "📋 Till: 500 alerts"
    lines = body["message"].splitlines()
    assert lines[0] == "So many came at once that they share one message."
    assert "Check 0 is DOWN" in lines[1], "the gravest comes first"
    assert lines[-1] == "… and 480 more, see: healthkit incidents"


def test_events_that_trickle_in_are_bounded_by_the_burst(post, http_sink):
    post.open(a={"url": http_sink.url("/a", "json")}, alerts={"burst": 3, "burst_window": SECOND})
    for i in range(30):
        post.owe("a", event(i))
        wait_until(lambda i=i: len(http_sink.requests) >= min(i + 1, 3))
    post.until(lambda: post.counts() == {})
    assert len(http_sink.requests) <= 5
    told = titles(http_sink)
    assert told[:3] == [f"🔴 Check {i} is DOWN" for i in range(3)]
    assert told[3].startswith("📋 Till: ")


def test_a_digest_comes_when_it_is_due_and_not_before(post, http_sink):
    post.open(a={"url": http_sink.url("/a", "json")})
    soon = event(0)
    with post.store.transaction() as connection:
        for due in (soon.at + SECOND, soon.at + SECOND, soon.at + timedelta(hours=1)):
            number = incidents.add_event(connection, soon)
            outbox.enqueue(connection, number, Delivery("a", due, digest=True), soon.at)
    post.until(lambda: http_sink.requests)
    assert post.clock.now() >= soon.at + SECOND
    assert titles(http_sink) == ["📋 Till: 2 alerts"]
    post.until(lambda: post.counts() == {("a", "waiting"): 1})


def test_words_that_hang_are_replaced_by_the_plain_ones(post, http_sink, monkeypatch):
    monkeypatch.setattr(delivery, "WORDING_LIMIT", 0.1)
    release = threading.Event()
    post.open(
        lambda event, language: release.wait(60) and None, a={"url": http_sink.url("/a", "json")}
    )
    post.owe("a", event(0))
    wait_until(lambda: http_sink.requests)
    release.set()
    body = http_sink.requests[0].json()
    assert body["title"] == "🔴 Check 0 is DOWN"
    assert "The configured wording failed: no answer within 0.1s" in body["message"]


def test_who_no_longer_leads_sends_nothing_and_blames_no_channel(post, http_sink):
    post.open(a={"url": http_sink.url("/a", "json")})
    asked = []
    post.courier_may = lambda: asked.append(1)
    post.owe("a", event(0))
    wait_until(lambda: asked and post.counts() == {("a", "waiting"): 1})
    assert http_sink.requests == []
    assert post.counts() == {("a", "waiting"): 1}
    assert post.circuit("a").failures == 0


def test_who_has_been_followed_by_another_claims_nothing(post, http_sink, caplog):
    caplog.set_level("INFO")
    with post.store.transaction() as connection:
        lease.release(connection, post.epoch)
        lease.acquire(connection, "y/1/2 other", timedelta(hours=1), post.clock.now())
    post.open(a={"url": http_sink.url("/a", "json")})
    post.owe("a", event(0))
    wait_until(lambda: "nothing is sent: another watcher leads" in caplog.text)
    assert http_sink.requests == []
    assert post.counts() == {("a", "waiting"): 1}


def test_pauses_double_up_to_five_minutes_and_are_spread():
    whole = [backoff(n, 1.0).total_seconds() for n in range(1, 12)]
    assert whole == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert backoff(3, 0.0) == 2 * SECOND
    assert backoff(10_000, 1.0) == timedelta(minutes=5)


def test_details_that_json_lacks_lose_no_alert(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/store.db")

    def stored_and_read(event):
        with store.transaction() as connection:
            number = incidents.add_event(connection, event)
            outbox.enqueue(connection, number, Delivery("a", event.at), event.at)
            batch = outbox.claim_batch(connection, "a", event.at, burst=1, named=1)
            outbox.sent(connection, batch, event.at)
            return batch.events[0]

    class Odd:
        def __str__(self):
            raise RuntimeError

    for detail in (object(), Odd(), float("nan"), {1: {2: object()}}):
        strange = Outcome.unhealthy("gone", detail=detail)
        check = CheckInfo("c", "C")
        told = Event(EventKind.DOWN, check, NOW, strange)
        back = stored_and_read(told)
        assert (back.outcome.message, back.check) == ("gone", check)
    store.close()


def test_a_call_that_overruns_its_limit_goes_on_by_itself():
    limiter, release, ended = _threads.TimeLimiter(), threading.Event(), []
    with pytest.raises(TimeoutError):
        limiter.call(lambda: release.wait(60) and ended.append(1), 0.05)
    assert limiter.hanging == 1
    assert limiter.call(lambda: 3, 5) == 3
    with pytest.raises(ZeroDivisionError):
        limiter.call(lambda: 1 // 0, 5)
    release.set()
    wait_until(lambda: limiter.hanging == 0)
    assert ended == [1]
