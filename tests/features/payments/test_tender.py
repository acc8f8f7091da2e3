"""The effect of a payment on a bill: cash with rounding and change, others exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.features.orders.totals import round_to_cash
from posapp.features.payments.tender import (
    Tender,
    is_absurd,
    refuse_impossible,
    tender,
)
from posapp.http.errors import Invalid

STEPS = st.sampled_from([1, 50, 100, 500, 1000])


@pytest.mark.parametrize("due", range(201))
def test_cash_due_always_settles_every_rest(due):
    """A rest of 1 to 49 rupiah rounds to nothing, and is settled by nothing."""
    cash_due = round_to_cash(due, 100)
    done = tender(due, "cash", cash_due, None, 100)
    assert done.amount == due + done.rounding == cash_due
    assert done.change == 0


@pytest.mark.parametrize("due", range(1, 201))
@pytest.mark.parametrize("method", ["qris", "card"])
def test_a_card_and_qris_pay_every_rest_exactly_and_nothing_beyond(due, method):
    done = tender(due, method, due, None, 100)
    assert (done.amount, done.change, done.rounding) == (due, 0, 0)
    with pytest.raises(Invalid):
        tender(due, method, due + 1, None, 100)


@pytest.mark.parametrize("due", range(1, 201))
def test_a_rest_whose_payment_is_undone_is_the_same_rest_for_every_tender(due):
    """An undone payment takes its amount and its rounding off again."""
    total, paid = due, 0
    for method in ("cash", "qris", "cash", "card", "card", "qris"):
        rest = total - paid
        amount = round_to_cash(rest, 100) if method == "cash" else rest
        done = tender(rest, method, amount, None, 100)
        total, paid = total + done.rounding, paid + done.amount
        assert paid == total
        total, paid = total - done.rounding, paid - done.amount
    assert (total, paid) == (due, 0)


@given(st.integers(0, 10**9), STEPS)
def test_cash_due_settles_a_bill_of_any_size_at_any_rounding(due, step):
    done = tender(due, "cash", round_to_cash(due, step), None, step)
    assert done.amount == due + done.rounding
    assert abs(done.rounding) * 2 <= step


@given(st.integers(1, 10**6), STEPS, st.data())
def test_after_any_part_the_rest_can_be_settled_in_cash(due, step, data):
    method = data.draw(st.sampled_from(["cash", "qris", "card"]))
    part = data.draw(st.integers(1, due))
    try:
        done = tender(due, method, part, None, step)
    except Invalid:
        assert method == "cash"
        assert part % step
        return
    rest = due + done.rounding - done.amount
    assert rest >= 0
    last = tender(rest, "cash", round_to_cash(rest, step), None, step)
    assert last.amount == rest + last.rounding


@given(st.integers(1, 10**6), STEPS, st.integers(1, 10**7), st.integers(0, 10**7))
def test_cash_that_changes_hands_is_coins_unless_the_exact_rest_was_asked_for(
    due, step, amount, more
):
    try:
        done = tender(due, "cash", amount, amount + more, step)
    except Invalid:
        return
    if amount != due:
        assert done.amount % step == done.tendered % step == done.change % step == 0


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
    assert 0 <= done.amount <= due + done.rounding
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
        (40, 40, None, (40, 0, 0)),  # less than half a step, to the rupiah
        (40, 0, None, (0, 0, -40)),  # less than half a step rounds to nothing
        (40, 0, 100_000, (0, 100_000, -40)),
        (40, 100, None, (0, 100, -40)),  # a coin on the table comes back
        (0, 0, None, (0, 0, 0)),  # a bill of nothing
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


@given(st.integers(0, 10**9), STEPS, st.integers(0, 1000), st.integers(0, 1000))
def test_coins_for_what_is_due_in_cash_or_more_settle_the_bill_and_the_rest_is_change(
    due, step, asked, given_more
):
    settled = round_to_cash(due, step)
    amount = settled + asked * step
    done = tender(due, "cash", amount, amount + given_more * step, step)
    tendered = amount + given_more * step
    if amount != due:
        assert done == Tender(settled, tendered, tendered - settled, rounding=settled - due)
    else:
        assert done == Tender(due, tendered, tendered - due, rounding=0)


@given(st.integers(2000, 10**9), STEPS, st.data())
def test_less_than_is_due_in_cash_is_a_part_and_moves_no_total(due, step, data):
    whole = min(due, round_to_cash(due, step))
    part = data.draw(st.integers(1, (whole - 1) // step)) * step
    assert tender(due, "cash", part, None, step) == Tender(part, part, 0, rounding=0)


def test_a_refusal_in_cash_says_what_would_do():
    def refusal(amount, tendered):
        with pytest.raises(Invalid) as refused:
            tender(13_860, "cash", amount, tendered, 100)
        return refused.value.errors[0]["message"]

    assert refusal(13_900, 13_899) == "is less than the amount"
    assert refusal(13_880, 14_000) == "is no sum of coins; in cash it is a multiple of 100"
    assert refusal(0, None) == "is nothing; 13900 is due in cash"


@pytest.mark.parametrize(
    ("method", "amount", "tendered", "field"),
    [
        ("qris", 1001, None, "amount"),
        ("card", 500, 600, "tendered"),
        ("cash", 500, 499, "tendered"),
        ("cash", 1000, 900, "tendered"),
        ("cash", 950, None, "amount"),
        ("cash", 500, 650, "tendered"),
        ("cash", 0, None, "amount"),
        ("qris", 0, None, "amount"),
    ],
)
def test_a_sum_that_does_not_fit_is_refused_by_its_field(method, amount, tendered, field):
    with pytest.raises(Invalid) as refused:
        tender(1000, method, amount, tendered, 100)
    assert refused.value.errors[0]["field"] == field


@pytest.mark.parametrize(
    ("due", "tendered", "absurd"),
    [
        (8_800, 88_000, False),
        (8_800, 88_001, True),
        (8_800, 8_800, False),
        (8_800, 0, False),
        (7, 70, False),
        (7, 71, True),
        (0, 0, False),
        (0, 1, True),
        (500_000, 1_500_000, False),
        (500_000, 1_500_001, True),  # an exact sum with one more nought is ten times it
        (500_001, 1_600_000, False),
        (12_300_000, 13_300_000, False),
        (12_300_000, 13_300_001, True),
    ],
)
def test_cash_is_absurd_beyond_ten_times_the_due_or_a_million_beyond_its_notes(
    due, tendered, absurd
):
    assert is_absurd(due, tendered) is absurd


def test_no_till_gives_back_millions_whatever_anybody_confirms():
    refuse_impossible(13_900, 20_013_900)
    with pytest.raises(Invalid) as refused:
        refuse_impossible(13_900, 20_013_901)
    assert refused.value.extension["code"] == "tendered_impossible"
