"""How often something may be tried, counted in the database."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from posapp.database.base import Base
from posapp.database.engine import open_session
from posapp.http.rate_limits import RateLimit, record_attempt, seconds_until_allowed
from posapp.settings import Settings

LENGTH = timedelta(minutes=5)
START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
"""Windows begin at whole multiples of their length."""


@pytest.fixture(scope="module")
def url(postgres):
    url = postgres.create("rate_limits")
    with open_session(url, Settings()) as session:
        Base.metadata.create_all(session.connection(), [RateLimit.__table__])
    yield url
    postgres.drop("rate_limits")


@pytest.fixture
def session(url):
    with open_session(url, Settings()) as session:
        yield session
        session.rollback()


def attempt(session, times, at=0.0, key="sari"):
    for _ in range(times):
        record_attempt(session, key, LENGTH, START + timedelta(seconds=at))


def wait(session, at=0.0, limit=3, key="sari"):
    return seconds_until_allowed(session, key, limit, LENGTH, START + timedelta(seconds=at))


def test_as_many_tries_as_the_limit_are_free_and_the_next_waits_for_the_window_to_end(session):
    assert wait(session) == wait(session, limit=1) == 0
    attempt(session, 2)
    assert wait(session) == 0
    attempt(session, 1)
    assert wait(session) == 300


@pytest.mark.parametrize(("at", "seconds"), [(0, 300), (0.5, 300), (60, 240), (299, 1), (299.9, 1)])
def test_the_wait_is_told_in_whole_seconds_and_never_too_short(session, at, seconds):
    attempt(session, 3)
    assert wait(session, at) == seconds


def test_in_the_next_window_all_is_free_again(session):
    attempt(session, 3, at=299.9)
    assert wait(session, 299.9) == 1
    assert wait(session, 300) == 0


def test_each_key_is_counted_by_itself(session):
    attempt(session, 3)
    attempt(session, 2, key="dewi")
    assert wait(session) == 300
    assert wait(session, key="dewi") == 0


def test_windows_that_are_over_leave_nothing_behind_for_their_key_alone(session):
    attempt(session, 3)
    attempt(session, 1, key="dewi")
    attempt(session, 1, at=301)
    rows = session.execute(select(RateLimit.key, RateLimit.window, RateLimit.count)).all()
    assert sorted(rows) == [("dewi", START, 1), ("sari", START + LENGTH, 1)]
    attempt(session, 1, at=302)
    assert session.scalar(select(func.count()).select_from(RateLimit)) == 2
    assert wait(session, 302, limit=2) == 298
