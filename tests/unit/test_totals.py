"""Money: every sum is whole rupiah, and they add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.features.orders.totals import apply_rate, compute_totals, round_to_cash
from posapp.features.payments.tender import tender
from posapp.features.restaurant.service import RestaurantSettings
from posapp.http.errors import Invalid

amounts = st.integers(min_value=0, max_value=10**9)
rates = st.integers(min_value=0, max_value=10_000)
houses = st.builds(
    RestaurantSettings, service_rate=rates, tax_rate=rates, service_on_discounted=st.booleans()
)


def test_jakarta_taxes_the_discounted_price_and_the_service_charge_on_the_full_one():
    totals = compute_totals(
        [60_000, 40_000], 20_000, RestaurantSettings(service_rate=500, tax_rate=1000)
    )
    assert (totals.subtotal, totals.service_charge, totals.tax) == (100_000, 5_000, 8_500)
    assert totals.total == 93_500


def test_a_house_may_charge_service_on_the_discounted_price():
    settings = RestaurantSettings(service_rate=500, tax_rate=1000, service_on_discounted=True)
    assert compute_totals([100_000], 20_000, settings).service_charge == 4_000


@given(st.lists(amounts, max_size=20), houses, st.data())
def test_the_parts_always_make_the_total(lines, settings, data):
    discount = data.draw(st.integers(0, sum(lines)))
    totals = compute_totals(lines, discount, settings)
    assert totals.total == sum(lines) - discount + totals.service_charge + totals.tax
    assert totals.service_charge >= 0
    assert totals.tax >= 0
    assert totals.total >= sum(lines) - discount


@given(amounts, rates)
def test_a_share_is_the_nearest_whole_rupiah(amount, rate):
    assert abs(apply_rate(amount, rate) * 10_000 - amount * rate) * 2 <= 10_000


@given(amounts, st.sampled_from([1, 50, 100, 500, 1000]))
def test_cash_is_rounded_to_the_nearest_step(amount, step):
    rounded = round_to_cash(amount, step)
    assert rounded % step == 0
    assert abs(rounded - amount) * 2 <= step


@given(
    st.integers(1, 10**9),
    st.integers(1, 2 * 10**9),
    st.one_of(st.none(), st.integers(1, 2 * 10**9)),
)
def test_cash_never_leaves_a_bill_overpaid_and_the_change_is_exact(due, amount, tendered):
    try:
        done = tender(due, "cash", amount, tendered, 100)
    except Invalid:
        return
    assert 0 < done.amount <= due + done.rounding
    assert done.change == done.tendered - done.amount >= 0
    assert abs(done.rounding) <= 99
    assert done.rounding == 0 or done.amount == due + done.rounding


@pytest.mark.parametrize(
    ("due", "amount", "tendered", "expected"),
    [
        (205_590, 205_600, 250_000, (205_600, 44_400, 10)),  # settled, rounded up
        (98_130, 98_100, None, (98_100, 0, -30)),  # settled, rounded down
        (98_130, 98_130, 100_000, (98_130, 1_870, 0)),  # to the rupiah, as asked
        (98_130, 50_000, None, (50_000, 0, 0)),  # a part
        (98_130, 150_000, None, (98_100, 51_900, -30)),  # notes on the table
        (40, 50, None, (40, 10, 0)),  # less than half a step is paid as it is
    ],
)
def test_what_cash_does_to_a_bill(due, amount, tendered, expected):
    done = tender(due, "cash", amount, tendered, 100)
    assert (done.amount, done.change, done.rounding) == expected


@pytest.mark.parametrize(
    ("method", "amount", "tendered", "field"),
    [
        ("qris", 1001, None, "amount"),
        ("card", 500, 600, "tendered"),
        ("cash", 500, 499, "tendered"),
        ("cash", 1000, 900, "tendered"),
    ],
)
def test_a_sum_that_does_not_fit_is_refused_by_its_field(method, amount, tendered, field):
    with pytest.raises(Invalid) as refused:
        tender(1000, method, amount, tendered, 100)
    assert refused.value.errors[0]["field"] == field
