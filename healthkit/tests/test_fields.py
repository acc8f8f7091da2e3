from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit.fields import format_duration, format_size, parse_duration, parse_percent, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("10s", 10), ("1h30m", 5400), ("7d", 604800), ("2w", 1209600), ("0s", 0)],
)
def test_a_duration_is_read_as_people_write_it(text, seconds):
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "-5s", "1x", "s", "1 h", "1h 30", "nan", "99999999d", 10, None, True, []]
)
def test_what_is_not_a_duration_is_refused(text):
    with pytest.raises(ValueError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1MB", 10**6), ("1MiB", 2**20), ("1.5 GB", 1_500_000_000), ("12", 12), (7, 7), ("3k", 3000)],
)
def test_a_size_is_read_with_its_unit(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1XB", -3, True, None, "1iB"])
def test_what_is_not_a_size_is_refused(text):
    with pytest.raises(ValueError):
        parse_size(text)


@pytest.mark.parametrize("text", ["101%", "80", "-1%", "%", 80, None])
def test_what_is_not_a_share_is_refused(text):
    with pytest.raises(ValueError):
        parse_percent(text)


def test_an_uptime_reads_as_in_the_runbook():
    assert format_duration(timedelta(hours=72, minutes=15, seconds=30)) == "72h15m30s"
    assert format_duration(timedelta(seconds=-3)) == "0s"
    assert format_duration(timedelta(minutes=2)) == "2m0s"


@given(st.integers(0, 10**6))
def test_a_formatted_duration_reads_back_as_itself(seconds):
    assert parse_duration(format_duration(timedelta(seconds=seconds))).total_seconds() == seconds


def test_sizes_are_shown_in_the_unit_that_fits():
    assert [format_size(n) for n in (0, 999, 5_242_880, 3e12)] == [
        "0 B",
        "999 B",
        "5.2 MB",
        "3.0 TB",
    ]
