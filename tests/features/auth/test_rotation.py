"""Which refresh is a lost answer, and which a theft: RFC 9700, section 4.14.2."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from posapp.features.auth.rotation import REPEAT_WINDOW, Rotation, rotation

USED = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)


def test_an_unused_token_gets_its_successor_whenever_it_comes():
    assert rotation(None, False, USED + timedelta(days=13)) is Rotation.ISSUE


def test_the_same_successor_is_given_again_for_exactly_a_minute():
    assert timedelta(seconds=60) == REPEAT_WINDOW
    assert rotation(USED, False, USED) is Rotation.REPEAT
    assert rotation(USED, False, USED + timedelta(seconds=60)) is Rotation.REPEAT
    assert rotation(USED, False, USED + timedelta(seconds=60, microseconds=1)) is Rotation.THEFT


@given(st.integers(min_value=0, max_value=10**6))
def test_after_its_successor_was_used_no_moment_is_early_enough(seconds):
    assert rotation(USED, True, USED + timedelta(seconds=seconds)) is Rotation.THEFT
