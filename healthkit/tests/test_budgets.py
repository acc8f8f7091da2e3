"""The rules of objectives: what is lost, what is left, how fast it goes, and how that is said."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit._model.budget_rules import (
    bounds,
    budget,
    burn_rate,
    burns,
    lost_by_events,
    lost_seconds,
    silent_after,
)
from healthkit._model.budget_words import amount, format_target, sentences
from healthkit._model.budgets import (
    BURN_WINDOWS,
    ROLLING,
    SPANS,
    Budget,
    BudgetState,
    Measurement,
    Objective,
    dump_budget,
    events_of,
    load_budget,
)
from healthkit._model.uptime import Uptime

NOW = datetime(2026, 1, 20, 3, 30, tzinfo=UTC)
HOUR = int(NOW.timestamp()) // 3600
JAKARTA = ZoneInfo("Asia/Jakarta")
ALLOWED = Fraction(1, 1000)
MINUTE = timedelta(minutes=1)

uptimes = st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)).map(
    lambda found: Uptime(found[0], sum(found))
)
hours = st.dictionaries(
    st.sampled_from(["db", "web"]),
    st.dictionaries(st.integers(HOUR - 720, HOUR), uptimes, max_size=30),
)


def objective(target="99.9", window="30d", checks=("db",), least=3, events=False):
    silences = dict.fromkeys(checks, timedelta(minutes=5))
    share = Fraction(target) / 100
    return Objective("site", "Site", silences, share, window, JAKARTA, least, events)


def measured(cells, spans=None, last=NOW):
    lately = {span: {} for span in SPANS} | (spans or {})
    return Measurement(NOW, cells, lately, dict.fromkeys(cells, last) if last else {})


def whole_days(bad=(), per_hour=60, days=30):
    """A check that ran each minute, with failures by hour back from now."""
    lost = dict(bad)
    cells = {}
    for back in range(days * 24):
        total = per_hour if back else per_hour // 2
        failed = lost.get(back, 0)
        cells[HOUR - back] = Uptime(total - failed, total)
    return cells


@given(hours, st.sampled_from(["30d", "month"]), st.booleans())
def test_a_budget_is_never_more_than_whole_and_whole_only_where_nothing_was_lost(
    cells, window, events
):
    found = budget(objective(window=window, checks=("db", "web"), events=events), measured(cells))
    start, _ = bounds(window, NOW, JAKARTA)
    first = -(-int(start.timestamp()) // 3600)
    bad = any(one.bad for of in cells.values() for hour, one in of.items() if hour >= first)
    assert found.left <= found.total
    assert (found.left == found.total) is not bad
    assert found.left_minutes * MINUTE <= found.left


@given(hours)
def test_no_more_than_all_the_time_there_was_is_lost(cells):
    first = HOUR - 720
    most = {hour for of in cells.values() for hour, one in of.items() if one.bad}
    assert lost_seconds(cells, first, NOW) <= 3600 * len(most)
    assert lost_by_events(cells, first, NOW) <= 3600 * 721


@given(uptimes, st.integers(1, 50))
def test_a_rate_is_the_share_lost_by_the_share_allowed_whatever_the_number_of_results(one, times):
    rate = burn_rate([one], ALLOWED)
    if not one.total:
        assert rate is None
        return
    assert rate == Fraction(one.bad, one.total) * 1000
    assert burn_rate([Uptime(one.good * times, one.total * times)], ALLOWED) == rate
    assert burn_rate([one, Uptime(7, 7)], ALLOWED) == rate


def test_the_windows_are_those_of_googles_table():
    shares = [Fraction(2, 100), Fraction(5, 100), Fraction(10, 100)]
    for share, one in zip(shares, BURN_WINDOWS, strict=True):
        assert one.factor == share * (ROLLING // timedelta(hours=1)) / (
            one.long // timedelta(hours=1)
        )
        assert one.short * 12 == one.long
    assert [one.urgent for one in BURN_WINDOWS] == [True, True, False]


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(2, 100))
def test_one_failed_result_never_burns(long, short, least):
    spans = {span: {"db": Uptime(short, short + 1)} for span in SPANS}
    for windows in BURN_WINDOWS:
        found = spans | {windows.long: {"db": Uptime(long, long + 1)}}
        assert not burns(windows, found, ALLOWED, least)


def test_both_windows_must_burn_and_more_than_the_factor():
    windows = BURN_WINDOWS[0]
    at, over = Uptime(9856, 10_000), Uptime(9855, 10_000)  # 14.4 and 14.5 times as fast

    def found(long, short):
        return burns(windows, {windows.long: long, windows.short: short}, ALLOWED, 3)

    assert found({"db": over}, {"db": over})
    assert not found({"db": at}, {"db": over})
    assert not found({"db": over}, {"db": at})
    assert not found({"db": over}, {})
    assert not found({"db": over, "web": at}, {"db": at, "web": over})
    assert not burns(
        windows, {windows.long: {"db": over}, windows.short: {"db": over}}, ALLOWED, 146
    )
    assert burns(windows, {windows.long: {"db": over}, windows.short: {"db": over}}, ALLOWED, 145)


@pytest.mark.parametrize(
    ("cells", "lost"),
    [
        ({"db": {HOUR - 5: Uptime(30, 60), HOUR - 4: Uptime(60, 60)}}, 1800),
        ({"db": {HOUR - 5: Uptime(0, 60), HOUR - 4: Uptime(45, 60)}}, 3600 + 900),
        # a watcher that began in that hour: two results are two minutes, by the hour after it
        ({"db": {HOUR - 5: Uptime(1, 2), HOUR - 4: Uptime(60, 60)}}, 60),
        # this hour, of which half is over
        ({"db": {HOUR - 1: Uptime(60, 60), HOUR: Uptime(29, 30)}}, 60),
        # at once is once, one after the other is both
        ({"db": {HOUR - 5: Uptime(30, 60)}, "web": {HOUR - 5: Uptime(3, 6)}}, 1800),
        ({"db": {HOUR - 5: Uptime(30, 60)}, "web": {HOUR - 9: Uptime(3, 6)}}, 3600),
        ({"db": {HOUR - 6: Uptime(0, 60)}}, 0),
    ],
)
def test_lost_is_the_share_of_each_hour_by_the_worst_of_the_checks(cells, lost):
    assert abs(lost_seconds(cells, HOUR - 5 - (4 if "web" in cells else 0), NOW) - lost) <= 1


def test_events_are_counted_together_as_their_hours_are_not_alike():
    cells = {"requests": {HOUR - 10: Uptime(1, 2), HOUR - 9: Uptime(997, 998)}}
    assert lost_by_events(cells, HOUR - 720, NOW) == Fraction(2, 1000) * (10 * 3600 + 1800)


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "UTC", "America/New_York", "Pacific/Auckland"])
@given(minutes=st.integers(0, 11 * 365 * 24 * 60))
def test_a_month_is_the_calendars_in_the_services_zone(zone, minutes):
    moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    start, end = bounds("month", moment, ZoneInfo(zone))
    assert start <= moment < end
    for one in (start, end):
        local = one.astimezone(ZoneInfo(zone))
        assert (local.day, local.hour, local.minute) == (1, 0, 0)
    assert timedelta(days=27.9) < end - start < timedelta(days=31.1)
    assert bounds("30d", moment, ZoneInfo(zone)) == (moment - ROLLING, moment)


def burning(share, windows=BURN_WINDOWS[0]):
    found = {"db": Uptime(1000 - share, 1000)}
    return {windows.long: found, windows.short: found}


STATES = [
    ({}, {}, None, BudgetState.NOT_ENOUGH_DATA),
    ({HOUR: Uptime(0, 9)}, burning(900), NOW, BudgetState.NOT_ENOUGH_DATA),
    (whole_days(), {}, NOW, BudgetState.OK),
    (whole_days(), {}, NOW - timedelta(minutes=6), BudgetState.NO_DATA),
    (whole_days(), burning(900), NOW, BudgetState.BURNING_FAST),
    (whole_days(), burning(900), NOW - timedelta(minutes=6), BudgetState.BURNING_FAST),
    (whole_days(), burning(9, BURN_WINDOWS[1]), NOW, BudgetState.BURNING_FAST),
    (whole_days(), burning(9, BURN_WINDOWS[2]), NOW, BudgetState.BURNING),
    (whole_days([(50, 43)]), {}, NOW, BudgetState.OK),
    (whole_days([(50, 44)]), {}, NOW, BudgetState.SPENT),
    (whole_days([(50, 44)]), burning(9, BURN_WINDOWS[2]), NOW, BudgetState.SPENT),
]


@pytest.mark.parametrize(("cells", "spans", "last", "state"), STATES)
def test_each_state_has_its_cause(cells, spans, last, state):
    found = budget(objective(), measured({"db": cells} if cells else {}, spans, last))
    assert found.state is state
    assert bool(found.absent) == (last is None or last < NOW)


def test_a_check_that_is_new_leaves_the_whole_unknown():
    cells = {"db": whole_days(), "web": {HOUR: Uptime(5, 5)}}
    assert budget(objective(checks=("db", "web")), measured(cells)).state is (
        BudgetState.NOT_ENOUGH_DATA
    )


def test_a_check_may_be_silent_for_three_runs_and_five_minutes():
    assert silent_after(timedelta(seconds=3), timedelta(seconds=2)) == timedelta(minutes=5)
    assert silent_after(timedelta(minutes=5), timedelta(seconds=20)) == timedelta(minutes=16)


@pytest.mark.parametrize(
    ("details", "found"),
    [
        ({"good": 3, "events": 5}, Uptime(3, 5)),
        ({"good": 6, "events": 5}, None),
        ({"good": -1, "events": 5}, None),
        ({"good": True, "events": 5}, None),
        ({"good": 1.0, "events": 5}, None),
        ({"events": 5}, None),
    ],
)
def test_only_whole_numbers_that_fit_are_events(details, found):
    assert events_of(details) == found


# How it is said


def of(state, left, gone_in=None, window="month", target="99.9", total=timedelta(minutes=43.2)):
    return Budget("Site", Fraction(target) / 100, window, state, total, left, {}, gone_in)


SAID = [
    (
        of(BudgetState.OK, timedelta(minutes=40.9)),
        "Of the month's 43 minutes, 40 minutes are left.",
        "Dari jatah 43 menit bulan ini, tersisa 40 menit.",
    ),
    (
        of(BudgetState.BURNING, timedelta(minutes=40), timedelta(days=2.9)),
        "At this pace the month's 43 minutes are gone in 2 days.",
        "Dengan laju ini jatah 43 menit bulan ini habis dalam 2 hari.",
    ),
    (
        of(BudgetState.BURNING_FAST, timedelta(seconds=80), timedelta(hours=1.99), "30d"),
        "At this pace the 43 minutes of 30 days are gone in 119 minutes.",
        "Dengan laju ini jatah 43 menit untuk 30 hari habis dalam 119 menit.",
    ),
    (
        of(BudgetState.SPENT, timedelta(minutes=-12.5)),
        "The month's 43 minutes are used up, and 12 minutes more.",
        "Jatah 43 menit bulan ini sudah habis, dan lebih 12 menit.",
    ),
    (
        of(BudgetState.SPENT, timedelta(0)),
        "The month's 43 minutes are used up.",
        "Jatah 43 menit bulan ini sudah habis.",
    ),
    (
        of(BudgetState.NOT_ENOUGH_DATA, timedelta(0)),
        "Not enough data yet.",
        "Data belum cukup.",
    ),
]


@pytest.mark.parametrize(("found", "english", "indonesian"), SAID)
def test_staff_read_minutes_and_when_they_are_gone(found, english, indonesian):
    assert sentences(found, "en")[0] == english
    assert sentences(found, "id")[0] == indonesian


def test_what_is_not_measured_is_said():
    found = of(BudgetState.NO_DATA, timedelta(minutes=40))
    assert sentences(found, "en")[-1] == "Not measured right now: no result has come lately."
    assert "Sedang tidak terukur" in sentences(found, "id")[-1]


@given(st.integers(0, 10**7))
def test_an_amount_is_never_more_than_there_is(seconds):
    number, unit = amount(timedelta(seconds=seconds), "en").split()
    size = {"minute": 60, "second": 1}[unit.removesuffix("s")]
    assert seconds - size < int(number) * size <= seconds


@given(
    st.sampled_from(BudgetState), st.integers(-(10**6), 10**6), st.none() | st.integers(0, 10**6)
)
def test_a_budget_survives_the_store(state, left, gone_in):
    gone = None if gone_in is None else timedelta(seconds=gone_in)
    found = of(state, timedelta(seconds=left), gone, target="99.95", total=timedelta(minutes=20))
    assert load_budget(dump_budget(found)) == found
    assert format_target(found) == "99.95%"
