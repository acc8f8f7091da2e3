"""The POS's requests are counted from its own metrics, and measured by its objectives."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from healthkit import Status, load_settings
from posapp.observability.metrics import DURATION
from posapp.operations.requests_check import Counted, Requests, count, gained
from posapp.runtime import processes

HALF, TWO = timedelta(milliseconds=500), timedelta(seconds=2)


def page(*requests):
    """The metrics of a server that answered `(route, seconds)`."""
    registry = CollectorRegistry()
    histogram = Histogram(
        next(iter(DURATION.describe())).name,
        "Time.",
        ["method", "route"],
        buckets=DURATION._kwargs["buckets"],
        registry=registry,
    )
    for route, seconds in requests:
        histogram.labels("GET", route).observe(seconds)
    return generate_latest(registry).decode()


@given(st.lists(st.tuples(st.sampled_from(["/api/v1/orders", "/login"]), st.floats(0, 20))))
def test_requests_to_the_api_are_counted_by_the_runbooks_limits(requests):
    mine = [seconds for route, seconds in requests if route.startswith("/api/")]
    for limit in (HALF, TWO):
        in_time = sum(one <= limit.total_seconds() for one in mine)
        assert count(page(*requests), limit) == Counted(in_time, len(mine))


def test_a_limit_that_is_no_bucket_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"within 0\.005s, .*, 2s, .*, not 0:00:03"):
        count(page(("/api/v1/orders", 1)), timedelta(seconds=3))


counts = st.tuples(st.integers(0, 1000), st.integers(0, 1000)).map(
    lambda one: Counted(one[0], sum(one))
)


@given(st.none() | counts, counts)
def test_what_was_gained_is_never_less_than_nothing_nor_better_than_all(before, now):
    found = gained(before, now)
    assert 0 <= found.good <= found.total <= now.total
    if before is None:
        assert found == Counted()
    elif now.total < before.total:
        assert found == now  # the server has begun anew


def test_each_run_has_what_came_since_the_last(http_sink, run_check):
    check = Requests(url=http_sink.url("/metrics"), within="500ms", token="t" * 8)
    slow, fast = ("/api/v1/orders", 0.7), ("/api/v1/orders", 0.1)
    found = []
    for requests in ((slow, slow), (slow, slow, fast), (slow, slow, fast, fast, slow), (fast,)):
        http_sink.answers(200, page(*requests).encode())
        outcome = run_check(check)
        assert outcome.status is Status.HEALTHY
        found.append((outcome.details["good"], outcome.details["events"]))
    assert found == [(0, 0), (1, 1), (1, 2), (1, 1)]
    assert http_sink.requests[0].headers["Authorization"] == "Bearer tttttttt"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [(503, b"", "status 503"), (302, b"", "status 302"), (200, b"no metrics {", "")],
)
def test_a_page_that_is_none_is_unhealthy(http_sink, run_check, status, body, said):
    http_sink.answers(status, body)
    outcome = run_check(Requests(url=http_sink.url("/metrics"), within="2s"))
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message.startswith("the metrics cannot be read: ")
    assert said in outcome.message


def test_a_server_that_is_away_is_unhealthy_in_a_few_words(run_check):
    outcome = run_check(Requests(url="http://127.0.0.1:1/metrics", within="2s"))
    assert outcome.message == "the metrics cannot be read: no connection"


def test_the_pos_promises_the_runbooks_share_and_limits():
    settings = load_settings(
        processes.ROOT / "healthkit.toml", environ={"DATABASE_URL": "postgresql:///x"}
    )
    found = settings.slo
    assert (found["open"].target, found["open"].window) == (99.9, "month")
    assert set(found["open"].checks) == {"database", "backend"}
    limits = {check.info.name: check.check for check in settings.checks}
    assert all(limits[n].counts_events for name in ("answers", "quick") for n in found[name].checks)
    assert [limits[name].within for name in found["answers"].checks] == [TWO]
    assert [limits[name].within for name in found["quick"].checks] == [HALF]
