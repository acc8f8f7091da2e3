from datetime import UTC, date, datetime

import pytest

from posapp.features.restaurant.service import RestaurantSettings


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
