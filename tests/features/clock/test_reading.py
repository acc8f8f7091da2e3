"""Whether a clock can be right: the rule alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.features.clock.reading import SUSPECT, WRONG, Reading, Word

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SPANS = st.timedeltas(timedelta(days=-400), timedelta(days=400))


def reading(database=timedelta(0), newest=None, word=None, now=NOW):
    """Moments are given as their distance from NOW."""
    return Reading(now, NOW + database, None if newest is None else NOW + newest, word)


def test_a_clock_that_agrees_with_everything_is_right():
    for newest in (None, timedelta(0), timedelta(days=-300)):
        found = reading(newest=newest)
        assert (found.suspect, found.wrong, found.sells) == (False, False, True)


@pytest.mark.parametrize("side", ["database", "newest"])
@pytest.mark.parametrize(
    ("behind", "suspect", "wrong"),
    [
        (SUSPECT, False, False),
        (SUSPECT + SECOND, True, False),
        (WRONG, True, False),
        (WRONG + SECOND, True, True),
        (timedelta(days=20_000), True, True),
    ],
)
def test_behind_by_minutes_is_suspect_and_by_more_than_a_day_wrong(side, behind, suspect, wrong):
    found = reading(**{side: behind})
    assert (found.suspect, found.wrong, found.sells) == (suspect, wrong, not wrong)


def test_ahead_of_the_database_is_suspect_and_sells():
    assert not reading(database=-SUSPECT).suspect
    found = reading(database=-SUSPECT - SECOND)
    assert (found.suspect, found.sells) == (True, True)
    assert "ahead of the database's" in found.describe()


def test_a_word_holds_while_the_clock_goes_on_and_not_once_it_is_back():
    word = Word(NOW, NOW + timedelta(days=9))
    for later in (timedelta(0), timedelta(hours=5), timedelta(days=3)):
        assert reading(newest=timedelta(days=9), word=word, now=NOW + later).sells
    assert not reading(newest=timedelta(days=9), word=word, now=NOW - SECOND).sells


def test_a_word_against_one_row_is_none_against_a_later_one():
    word = Word(NOW, NOW + timedelta(days=9))
    assert not reading(newest=timedelta(days=9, minutes=2), word=word).sells
    assert reading(newest=timedelta(days=9, seconds=50), word=word).sells


def test_a_word_against_the_clock_of_the_database_holds_while_both_go_on():
    word = Word(NOW, NOW + timedelta(days=9))
    hours = timedelta(hours=7)
    assert reading(database=timedelta(days=9) + hours, word=word, now=NOW + hours).sells


@given(SPANS, st.none() | SPANS)
def test_without_a_word_it_sells_unless_it_is_more_than_a_day_behind(database, newest):
    found = reading(database, newest)
    latest = max(database, database if newest is None else newest)
    assert found.sells is (latest <= WRONG)
    assert found.suspect or found.sells
    assert found.wrong is (not found.sells)


@pytest.mark.parametrize(
    ("behind", "words"),
    [(timedelta(minutes=5), "behind by 5 minutes"), (timedelta(days=20_783), "by 20783 days")],
)
def test_it_says_what_differs_by_how_much_and_what_to_do(behind, words):
    text = reading(newest=behind).describe()
    assert words in text
    assert "the newest row" in text
    assert "set the machine's clock" in text
    assert "the database's clock" in reading(database=behind).describe()
