"""Money: every sum is whole rupiah, and they add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.features.orders.totals import Totals, apply_rate, compute_totals, round_to_cash
from posapp.features.restaurant.service import RestaurantSettings

amounts = st.integers(min_value=0, max_value=10**9)
rates = st.integers(min_value=0, max_value=10_000)
restaurants = st.builds(
    RestaurantSettings, service_rate=rates, tax_rate=rates, service_on_discounted=st.booleans()
)


def test_jakarta_taxes_the_discounted_price_and_the_service_charge_on_the_full_one():
    totals = compute_totals(
        [60_000, 40_000], 20_000, RestaurantSettings(service_rate=500, tax_rate=1000)
    )
    assert (totals.subtotal, totals.service_charge, totals.tax) == (100_000, 5_000, 8_500)
    assert totals.total == 93_500


def test_a_restaurant_may_charge_service_on_the_discounted_price():
    settings = RestaurantSettings(service_rate=500, tax_rate=1000, service_on_discounted=True)
    assert compute_totals([100_000], 20_000, settings).service_charge == 4_000


@given(st.lists(amounts, max_size=20), restaurants, st.data())
def test_the_parts_always_make_the_total(lines, settings, data):
    discount = data.draw(st.integers(0, sum(lines)))
    totals = compute_totals(lines, discount, settings)
    assert totals.total == sum(lines) - discount + totals.service_charge + totals.tax
    assert totals.service_charge >= 0
    assert totals.tax >= 0
    assert totals.total >= sum(lines) - discount


@given(*[amounts] * 4, st.integers(-500, 500))
def test_rounding_to_cash_moves_the_total_by_what_it_says(subtotal, discount, service, tax, moved):
    before = Totals(subtotal, discount, service, tax)
    after = Totals(subtotal, discount, service, tax, rounding=moved)
    assert after.total - before.total == moved


@pytest.mark.parametrize(("amount", "charged"), [(9, 0), (10, 1), (29, 1), (30, 2)])
def test_half_a_rupiah_is_charged_as_a_whole_one(amount, charged):
    assert apply_rate(amount, 500) == charged  # 5 %: 0.45, 0.5, 1.45 and 1.5


@pytest.mark.parametrize(("amount", "due"), [(149, 100), (150, 200), (249, 200), (250, 300)])
def test_half_a_step_of_cash_is_rounded_up(amount, due):
    assert round_to_cash(amount, 100) == due


@given(amounts, rates)
def test_a_rate_gives_the_nearest_whole_rupiah(amount, rate):
    assert abs(apply_rate(amount, rate) * 10_000 - amount * rate) * 2 <= 10_000


@given(amounts, st.sampled_from([1, 50, 100, 500, 1000]))
def test_cash_is_rounded_to_the_nearest_step(amount, step):
    rounded = round_to_cash(amount, step)
    assert rounded % step == 0
    assert abs(rounded - amount) * 2 <= step
