"""The effect of a payment on a bill: cash with rounding and change, others exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.features.payments.tender import tender
from posapp.http.errors import Invalid


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
