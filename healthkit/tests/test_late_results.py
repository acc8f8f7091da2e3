"""In whatever order results come, however late: hours and days have the same sums."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select

from healthkit._model.uptime import Uptime
from healthkit._store import history, tables
from healthkit._store.history import KEEP_HOURS, MAINTENANCE, Row

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NAMES = ("total", "healthy", "degraded", "unhealthy", "seconds", "slowest")
STATUSES = ("healthy", "degraded", "unhealthy", "unknown", MAINTENANCE)


def minutes(most):
    return st.integers(0, most).map(lambda number: timedelta(minutes=number))


arrivals = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        minutes(30 * 60),
        st.sampled_from(STATUSES),
        st.sampled_from((None, 0.25, 0.5, 2.0)),
        st.sampled_from((None, Uptime(3, 4), Uptime(0, 2))),
        st.one_of(minutes(5), minutes(40 * 60), minutes(100 * 24 * 60)),
    ),
    max_size=25,
)
"""Check, when, status, seconds, events, and how much later it comes."""


@pytest.fixture(scope="module")
def engine():
    engine = create_engine("sqlite://")
    tables.metadata.create_all(engine, tables=[tables.history, tables.hourly, tables.daily])
    yield engine
    engine.dispose()


def cells(connection, table, period, names):
    columns = (table.c.check_name, period, *(table.c[name] for name in names))
    return {tuple(row[:2]): tuple(row[2:]) for row in connection.execute(select(*columns))}


def summed(rows, length, events):
    """The sums of rows by periods of so many hours, counted one by one."""
    found = {}
    for row in rows:
        if row.status == MAINTENANCE:
            continue
        cell = found.setdefault((row.check, int(row.at.timestamp()) // 3600 // length), [])
        cell.append(row)
    return {
        key: (
            len(of),
            sum(row.status == "healthy" for row in of),
            sum(row.status == "degraded" for row in of),
            sum(row.status not in ("healthy", "degraded") for row in of),
            sum(row.seconds or 0.0 for row in of),
            max(row.seconds or 0.0 for row in of),
            *((_sum(of, "good"), _sum(of, "total")) if events else ()),
        )
        for key, of in found.items()
    }


def _sum(rows, name):
    counted = [getattr(row.events, name) for row in rows if row.events is not None]
    return sum(counted) if counted else None


@settings(deadline=None)
@given(arrivals, st.lists(minutes(100 * 24 * 60), max_size=6))
def test_any_order_of_arrival_gives_the_same_hours_and_days(engine, arrivals, prunings):
    came = [
        (START + after + late, Row(check, START + after, status, seconds, events))
        for check, after, status, seconds, events, late in arrivals
    ]
    steps = sorted([*came, *((START + at, None) for at in prunings)], key=lambda step: step[0])
    end = max([START + 3 * DAY, *(now + HOUR for now, _ in steps)])
    with engine.connect() as connection, connection.begin() as transaction:
        for now, row in steps:
            if row is None:
                history.roll_up(connection, now)
            else:
                history.add(connection, [row], now)
        history.roll_up(connection, end)
        events = ("good_events", "events")
        hours = cells(connection, tables.hourly, tables.hourly.c.hour, (*NAMES, *events))
        days = cells(connection, tables.daily, tables.daily.c.day, NAMES)
        transaction.rollback()
    rows = [row for _, row in came]
    oldest = int((end - KEEP_HOURS).timestamp()) // 3600
    expected = summed(rows, 1, events=True)
    assert hours == {key: one for key, one in expected.items() if key[1] >= oldest}
    assert days == summed(rows, 24, events=False)


def test_what_comes_after_its_day_was_closed_is_in_every_figure(store):
    late = Row("a", START + HOUR, "unhealthy", 0.1)
    with store.transaction() as connection:
        history.add(connection, [Row("a", START + HOUR, "healthy", 0.1)], START + HOUR)
        history.add(connection, [Row("a", START + DAY, "healthy", 0.1)], START + DAY)
        history.roll_up(connection, START + 3 * DAY)
        history.add(connection, [late], START + 3 * DAY)
        for span in (4 * DAY, 50 * DAY, 400 * DAY):
            found = history.uptime(connection, START + 3 * DAY, span)["a"]
            assert found == Uptime(2, 3), span


@pytest.mark.parametrize("back", [timedelta(days=10), timedelta(days=120)])
def test_an_hour_that_is_lived_twice_counts_twice(engine, back):
    """The results of the first time are gone by then, after 120 days the sums of its hours too."""
    first = [Row("a", START + n * HOUR, "healthy", 0.5) for n in range(26)]
    again = [Row("a", START + n * HOUR, "unhealthy", 2.0) for n in range(26)]
    with engine.connect() as connection, connection.begin() as transaction:
        for row in first:
            history.add(connection, [row], row.at)
        history.roll_up(connection, START + back)
        for row in again:
            history.roll_up(connection, row.at)
            history.add(connection, [row], row.at)
        history.roll_up(connection, START + 3 * DAY)
        days = cells(connection, tables.daily, tables.daily.c.day, NAMES)
        hours = cells(connection, tables.hourly, tables.hourly.c.hour, NAMES)
        transaction.rollback()
    assert days == summed([*first, *again], 24, events=False)
    rows = [*first, *again] if back < KEEP_HOURS else again
    assert hours == summed(rows, 1, events=False)


def test_a_clock_that_was_ahead_for_a_while_takes_nothing_from_the_hour_that_goes_on(store):
    """There are sums of hours to come by then, and none of this hour."""
    ahead = START + 2 * DAY
    before, after = START + timedelta(minutes=10), START + timedelta(minutes=20)
    with store.transaction() as connection:
        history.add(connection, [Row("a", ahead, "healthy", 0.1)], ahead)
        history.roll_up(connection, ahead + HOUR, START)
        history.add(connection, [Row("b", before, "unhealthy", 0.1)], before)
        history.add(connection, [Row("a", after, "healthy", 0.1)], after)
        found = history.uptime(connection, after, 3 * HOUR)
    assert found == {"a": Uptime(1, 1), "b": Uptime(0, 1)}
