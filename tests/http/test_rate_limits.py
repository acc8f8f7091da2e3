"""How often something may be tried, counted in the database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from posapp.database.base import Base
from posapp.database.engine import open_session
from posapp.http.rate_limits import Allowance, RateLimit, give_back, take
from posapp.settings import Settings

LIMIT = RateLimit(burst=3, interval=timedelta(seconds=60))
START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(postgres):
    url = postgres.create("rate_limits")
    with open_session(url, Settings()) as session:
        Base.metadata.create_all(session.connection(), [Allowance.__table__])
    yield url
    postgres.drop("rate_limits")


@pytest.fixture
def session(url):
    with open_session(url, Settings()) as session:
        yield session
        session.rollback()


def at(seconds):
    return START + timedelta(seconds=seconds)


def tried(session, *moments, key="sari", limit=LIMIT):
    return [take(session, key, limit, at(moment)) for moment in moments]


def test_as_many_tries_as_the_burst_are_free_and_the_next_waits_for_one_to_come_back(session):
    assert tried(session, 0, 0, 0, 0) == [0, 0, 0, 60]
    assert tried(session, 59.1, 60, 60, 119, 120) == [1, 0, 60, 1, 0]


def test_a_limit_of_one_lets_the_first_try_pass(session):
    limit = RateLimit(burst=1, interval=timedelta(seconds=10))
    assert tried(session, 0, 0, 9.5, 10, limit=limit) == [0, 10, 1, 0]


def test_a_refused_try_uses_nothing_up(session):
    tried(session, 0, 0, 0)
    assert tried(session, *[30] * 50) == [30] * 50
    assert tried(session, 60) == [0]


def test_after_a_long_rest_there_is_one_burst_and_no_more(session):
    tried(session, 0, 0, 0)
    assert tried(session, 9000, 9000, 9000, 9000) == [0, 0, 0, 60]


def test_a_try_given_back_can_be_used_again(session):
    tried(session, 0, 0, 0)
    give_back(session, "sari", LIMIT)
    assert tried(session, 0, 0) == [0, 60]


def test_giving_back_never_makes_more_than_the_burst(session):
    for _ in range(5):
        tried(session, 0)
        give_back(session, "sari", LIMIT)
    assert tried(session, 0, 0, 0, 0) == [0, 0, 0, 60]


def test_each_key_is_counted_by_itself(session):
    assert tried(session, 0, 0, 0, 0)[-1] == 60
    assert tried(session, 0, key="dewi") == [0]


def test_keys_whose_allowance_is_whole_again_are_removed(session):
    for number in range(40):
        tried(session, 0, key=f"guest-{number}")
    tried(session, 0, 0, 0, key="slow")
    for _ in range(3):
        tried(session, 61, key="dewi")
    assert set(session.scalars(select(Allowance.key))) == {"slow", "dewi"}


def test_of_a_hundred_tries_at_once_no_more_than_the_burst_pass(url):
    def race(_):
        with open_session(url, Settings()) as session:
            seconds = take(session, "racing", LIMIT, START)
            session.commit()
            return seconds

    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(race, range(100)))
    assert waits.count(0) == 3
    with open_session(url, Settings()) as session:
        assert session.scalar(select(func.count()).select_from(Allowance)) == 1


def test_a_clock_that_is_set_back_locks_nobody_out(session):
    """What was used up by the clock of before says nothing any more; the burst is counted anew."""
    tried(session, 0, 0, 0)
    day = -86_400
    assert tried(session, *[day] * 4) == [0, 0, 0, 60]
    # Back by less than a try can explain, the count goes on.
    assert tried(session, day - 1) == [61]


@pytest.mark.parametrize(("back", "waits"), [(60, [120]), (60.001, [0, 0, 0, 60])])
def test_a_clock_counts_as_set_back_by_more_than_one_interval(session, back, waits):
    """The burst of three is used up, whole after 180 s; no try can make that later than 240 s."""
    tried(session, 0, 0, 0)
    assert tried(session, *[-back] * len(waits)) == waits


@given(
    gaps=st.lists(st.timedeltas(timedelta(0), timedelta(minutes=5)), min_size=1, max_size=12),
    burst=st.integers(1, 4),
    interval=st.timedeltas(timedelta(milliseconds=1), timedelta(seconds=90)),
)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_after_the_seconds_that_a_refusal_names_a_try_is_free_and_a_second_before_it_is_not(
    session, gaps, burst, interval
):
    session.execute(delete(Allowance))
    limit, second, now = RateLimit(burst, interval), timedelta(seconds=1), START
    for gap in gaps:
        now += gap
        if wait := take(session, "sari", limit, now):
            assert take(session, "sari", limit, now + (wait - 1) * second) > 0
            now += wait * second
            assert take(session, "sari", limit, now) == 0
