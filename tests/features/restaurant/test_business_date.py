"""Which business date a sale belongs to, and the restaurant until it says otherwise."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.features.orders.totals import compute_totals
from posapp.features.restaurant.service import RestaurantSettings

moments = st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
starts = st.times()


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        ((2026, 11, 24, 12, 0), date(2026, 11, 24)),  # 19:00 in Jakarta
        ((2026, 11, 24, 17, 30), date(2026, 11, 24)),  # 00:30 of the 25th, still the same evening
        ((2026, 11, 24, 20, 59, 59), date(2026, 11, 24)),  # 03:59:59
        ((2026, 11, 24, 21, 0), date(2026, 11, 25)),  # 04:00
    ],
)
def test_a_sale_after_midnight_belongs_to_the_evening_before(utc, day):
    assert RestaurantSettings().business_date(datetime(*utc, tzinfo=UTC)) == day


@given(moments, starts)
def test_a_business_date_lasts_a_whole_day_from_its_start(moment, start):
    settings = RestaurantSettings(day_starts=start)
    day = settings.business_date(moment)
    begins = datetime.combine(day, start, settings.zone)
    assert begins <= moment < begins + timedelta(days=1)


@given(moments, starts)
def test_each_day_follows_the_one_before_it(moment, start):
    settings = RestaurantSettings(day_starts=start)
    next_day = settings.business_date(moment + timedelta(days=1))
    assert next_day - settings.business_date(moment) == timedelta(days=1)


def test_the_zone_of_the_restaurant_counts_and_not_that_of_the_clock():
    moment = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
    makassar = RestaurantSettings(zone=ZoneInfo("Asia/Makassar"), day_starts=time(4))
    assert makassar.business_date(moment) == date(2026, 11, 25)  # 04:30 there, 03:30 in Jakarta
    assert RestaurantSettings().business_date(moment) == date(2026, 11, 24)


def test_a_restaurant_that_has_set_nothing_charges_as_jakarta_does():
    settings = RestaurantSettings()
    totals = compute_totals([100_000], 20_000, settings)
    assert (totals.service_charge, totals.tax) == (5_000, 8_500)  # 5 % of 100,000, 10 % of 85,000
    assert settings.cash_rounding == 100  # rupiah, the smallest coin that circulates
