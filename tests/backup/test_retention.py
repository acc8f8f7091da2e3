"""Retention: which backups stay and which are removed, over years of nights."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp import JAKARTA
from posapp.backup.model.backup import KINDS, BackupName
from posapp.backup.model.retention import expired

NOW = datetime(2025, 12, 26, 5, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
moments = st.integers(0, 4 * 365 * 86_400).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
names = st.builds(BackupName, moments, st.sampled_from(KINDS), st.booleans())
catalogues = st.dictionaries(names, st.booleans(), max_size=60)


def kept(kind, ages, now=NOW):
    """The ages in days, of good backups of these ages, that stay."""
    found = {BackupName(now - age * DAY, kind): True for age in ages}
    gone = expired(found, now)
    return sorted((now - name.at) / DAY for name in found if name not in gone)


def test_daily_ones_stay_seven_days():
    assert kept("daily", range(30)) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert kept("daily", [0, 7, 7.001]) == [0, 7]


def test_weekly_ones_stay_four_weeks():
    assert kept("weekly", range(0, 100, 7)) == [0, 7, 14, 21, 28]


def test_monthly_ones_stay_three_months_of_the_calendar():
    at = datetime(2025, 5, 31, 4, 0, tzinfo=JAKARTA).astimezone(UTC)
    last = datetime(2025, 2, 28, 4, 0, tzinfo=JAKARTA).astimezone(UTC)  # February has no 31st
    found = {BackupName(last + delta, "monthly"): True for delta in (timedelta(0), -HOUR)}
    found[BackupName(at, "monthly")] = True
    assert expired(found, at) == [BackupName(last - HOUR, "monthly")]


def test_the_last_five_before_deployments_stay_however_old():
    assert kept("pre-deploy", range(100, 112)) == [100, 101, 102, 103, 104]


def test_those_before_restores_stay_for_ever():
    assert kept("pre-restore", [1, 400, 4000]) == [1, 400, 4000]


def test_after_a_long_outage_the_newest_good_one_stays():
    assert kept("daily", [90, 91]) == [90]
    found = {BackupName(NOW - 90 * DAY, "daily"): True, BackupName(NOW - 80 * DAY, "daily"): False}
    assert expired(found, NOW) == [BackupName(NOW - 80 * DAY, "daily")]


def test_one_made_while_the_clock_was_ahead_does_not_cost_the_real_newest():
    ahead, real = BackupName(NOW + 900 * DAY, "daily"), BackupName(NOW - 9 * DAY, "daily")
    assert expired({ahead: True, real: True}, NOW) == []


def test_one_dated_this_very_moment_is_not_dated_in_the_future():
    """Five before deployments while the clock was ahead would else take the place of it."""
    ahead = {BackupName(NOW + days * DAY, "pre-deploy"): True for days in range(1, 6)}
    assert expired({BackupName(NOW, "pre-deploy"): True, **ahead}, NOW) == []
    of_before = BackupName(NOW - HOUR, "pre-deploy")
    assert expired({of_before: True, BackupName(NOW, "pre-deploy"): True, **ahead}, NOW) == [
        of_before
    ]


def test_of_those_of_which_none_is_good_only_the_newest_stays():
    bad = {BackupName(NOW - days * DAY, "daily"): False for days in (80, 90, 100)}
    assert expired(bad, NOW) == [BackupName(NOW - days * DAY, "daily") for days in (100, 90)]


@given(catalogues, moments)
def test_whatever_there_is_the_newest_good_one_of_each_kind_stays(found, now):
    gone = set(expired(found, now))
    for kind in KINDS:
        of_kind = [name for name in found if name.kind == kind]
        good = [name for name in of_kind if found[name]]
        past = [name for name in good if name.at <= now]
        assert not of_kind or set(of_kind) - gone, "a kind that had backups has none"
        assert not good or max(good) not in gone
        assert not past or max(past) not in gone
        assert kind != "pre-restore" or not set(of_kind) & gone


@given(catalogues, moments)
def test_nothing_goes_before_its_time(found, now):
    for name in expired(found, now):
        later = [other for other in found if other.kind == name.kind and other > name]
        assert len(later) >= {"pre-deploy": 5}.get(name.kind, 0)
        assert later or not found[name]
        least = {"daily": 7, "weekly": 28, "monthly": 89, "pre-deploy": -10_000}[name.kind]
        assert now - name.at > least * DAY


@given(catalogues, moments)
def test_a_second_rotation_finds_nothing_more_to_remove(found, now):
    gone = expired(found, now)
    assert gone == sorted(gone)
    assert expired({name: good for name, good in found.items() if name not in gone}, now) == []


nights = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 1, 1, 1, 1, 2, 3, 20]),  # days until the next run
        st.sampled_from([0] * 30 + [-40, 3, 400]),  # days that the clock jumps, to be put right
        st.integers(0, 9),  # 0: the run makes none that is good
    ),
    max_size=250,
)


@given(nights)
def test_over_years_of_missed_nights_and_clocks_that_jump_the_newest_good_one_is_there(nights):
    found, now, newest = {}, NOW, None
    for days, jump, luck in nights:
        now += days * DAY + HOUR / 7
        told = now + jump * DAY
        name = BackupName(told.replace(microsecond=0), "daily")
        if luck:
            found[name] = True
            newest = name
        for old in expired(found, told):
            assert old != name, "the one just made"
            del found[old]
        if newest is not None and jump == 0 and luck:
            recent = [n for n in found if now - 7 * DAY <= n.at <= now]
            assert newest in recent
    assert not newest or found


# Names


@given(names)
def test_a_name_is_read_as_it_is_written(name):
    assert BackupName.parse(str(name)) == name


def test_the_time_in_a_name_is_jakartas():
    name = BackupName(datetime(2025, 12, 25, 19, 15, 30, tzinfo=UTC), "daily")
    assert str(name) == "steak_kenangan_daily_20251226_021530.dump.gz"
    assert name.manifest == "steak_kenangan_daily_20251226_021530.dump.gz.manifest.json"


@pytest.mark.parametrize(
    "text",
    [
        "steak_kenangan_daily_20251226_021530.dump.gz.part",
        "steak_kenangan_daily_20251226_021530.dump.gz\n",
        "../steak_kenangan_daily_20251226_021530.dump.gz",
        "steak_kenangan_daily_20251226_021530.dump.gz/..",
        "steak_kenangan_$(reboot)_20251226_021530.dump.gz",
        "steak_kenangan_daily_20251326_021530.dump.gz",
        "steak_kenangan_daily_00000000_000000.dump.gz",
        "steak_kenangan_daily_00010101_000000.dump.gz",  # before the year 1 in UTC
        "steak_kenangan_daily_２０２５1226_021530.dump.gz",
        "steak_kenangan_hourly_20251226_021530.dump.gz",
        "Steak_kenangan_daily_20251226_021530.dump.gz",
        "-rf",
        "",
    ],
)
def test_whatever_is_not_exactly_a_name_is_none(text):
    assert BackupName.parse(text) is None


@given(st.text())
def test_no_text_breaks_the_reading_of_names(text):
    found = BackupName.parse(text)
    assert found is None or str(found) == text
