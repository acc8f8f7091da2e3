"""The effect of a payment on a bill: cash with rounding and change, others exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.features.orders.totals import round_to_cash
from posapp.features.payments.tender import Tender, tender
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


@given(st.integers(1, 10**9), st.data(), st.sampled_from(["qris", "card"]), st.booleans())
def test_what_is_not_cash_pays_exactly_what_was_asked_up_to_all_of_the_bill(
    due, data, method, named
):
    amount = data.draw(st.integers(1, due))
    done = tender(due, method, amount, amount if named else None, 100)
    assert done == Tender(amount=amount, tendered=amount, change=0, rounding=0)
    whole = tender(due, method, due, None, 100)
    assert whole == Tender(amount=due, tendered=due, change=0, rounding=0)


@given(st.integers(1, 10**9), st.sampled_from([50, 100, 500, 1000]), st.integers(0, 10**6))
def test_cash_for_what_is_due_in_cash_settles_the_bill_with_its_rounding(due, step, more):
    asked = round_to_cash(due, step) or due
    done = tender(due, "cash", asked, asked + more, step)
    assert done == Tender(asked, asked + more, more, rounding=asked - due)


@given(st.integers(1000, 10**9), st.sampled_from([50, 100, 500, 1000]), st.data())
def test_less_than_is_due_in_cash_is_a_part_and_moves_no_total(due, step, data):
    part = data.draw(st.integers(1, min(due, round_to_cash(due, step)) - 1))
    assert tender(due, "cash", part, None, step) == Tender(part, part, 0, rounding=0)


@pytest.mark.parametrize(
    ("amount", "tendered", "message"),
    [
        (13_900, 13_899, "is less than the amount"),
        (13_870, 13_880, "is less than is due in cash (13900)"),
    ],
)
def test_cash_that_does_not_reach_is_refused_and_says_what_would(amount, tendered, message):
    with pytest.raises(Invalid) as refused:
        tender(13_860, "cash", amount, tendered, 100)
    assert refused.value.errors[0] == {"field": "tendered", "message": message}


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
