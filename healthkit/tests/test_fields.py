import hashlib
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from healthkit.fields import (
    Duration,
    PositiveDuration,
    TimeZoneName,
    format_duration,
    format_size,
    parse_database_url,
    parse_duration,
    parse_percent,
    parse_size,
    secret_weakness,
)


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


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1ms", timedelta(milliseconds=1)),
        ("1s", timedelta(seconds=1)),
        ("1m", timedelta(minutes=1)),
        ("1h", timedelta(hours=1)),
        ("1d", timedelta(days=1)),
        ("1w", timedelta(weeks=1)),
        (" 1.5h ", timedelta(minutes=90)),
        ("1d12h", timedelta(hours=36)),
        (timedelta(hours=3), timedelta(hours=3)),
    ],
)
def test_each_unit_of_a_duration_is_as_long_as_its_name_says(text, part):
    assert parse_duration(text) == part


def test_a_duration_lasts_ten_years_with_their_leap_days_at_most():
    assert parse_duration("3660d") == timedelta(days=3660)
    with pytest.raises(ValueError, match="longer than ten years"):
        parse_duration("3660d1s")


def test_an_interval_is_more_than_nothing_where_it_must_be():
    assert TypeAdapter(Duration).validate_python("0s") == timedelta(0)
    assert TypeAdapter(PositiveDuration).validate_python("1ms") == timedelta(milliseconds=1)
    with pytest.raises(ValidationError, match="must be more than 0s"):
        TypeAdapter(PositiveDuration).validate_python("0s")


@given(st.integers(1, 999), st.sampled_from("KMGT"))
def test_a_prefix_is_a_power_of_1000_and_with_an_i_of_1024(number, prefix):
    power = "KMGT".index(prefix) + 1
    for text in (f"{number}{prefix}", f"{number} {prefix}B", f"{number}{prefix.lower()}b"):
        assert parse_size(text) == number * 1000**power
    assert parse_size(f"{number}{prefix}iB") == number * 1024**power
    assert parse_size(f"{number}B") == parse_size(number) == number


def test_nothing_is_a_size_and_less_than_nothing_is_none():
    assert parse_size(0) == parse_size("0") == 0
    for value in (-1, "-1", False, "9" * 400 + "MB", "٣MB"):
        with pytest.raises(ValueError, match="is not a size"):
            parse_size(value)


@pytest.mark.parametrize(
    ("text", "share"), [("0%", 0.0), ("80%", 80.0), (" 99.9 % ", 99.9), ("100%", 100.0)]
)
def test_a_share_is_read_with_its_sign_up_to_all(text, share):
    assert parse_percent(text) == share
    with pytest.raises(ValueError, match="is not a share"):
        parse_percent("100.1%")


def test_a_time_zone_is_one_of_the_worlds():
    assert TypeAdapter(TimeZoneName).validate_python("Asia/Jakarta") == "Asia/Jakarta"
    with pytest.raises(ValidationError, match="is not a time zone"):
        TypeAdapter(TimeZoneName).validate_python("Jakarta")


@pytest.mark.parametrize(
    ("size", "text"),
    [(999.4, "999 B"), (1000, "1.0 KB"), (10**6, "1.0 MB"), (10**9, "1.0 GB"), (10**12, "1.0 TB")],
)
def test_a_thousand_of_a_unit_is_one_of_the_next(size, text):
    assert format_size(size) == text
    assert format_size(size * 0.9999).split()[1] in ("B", "KB", "MB", "GB")


@given(st.integers(0, 10**15))
def test_a_size_that_is_shown_is_right_to_a_tenth_of_its_unit(size):
    shown = parse_size(format_size(size))
    unit = parse_size("1 " + format_size(size).split()[1])
    assert abs(shown - size) <= 0.05 * unit + 1


@pytest.mark.parametrize("text", ["postgres://u:p@h/n", "postgresql://u:p@h/n"])
def test_both_names_of_postgresql_get_the_driver_that_is_installed(text):
    pytest.importorskip("psycopg2", reason="the extra [postgres] is not installed")
    url = parse_database_url(text)
    assert url.drivername in ("postgresql+psycopg2", "postgresql+psycopg")
    assert url.host == "h"


def test_a_database_of_another_kind_stays_as_it_is():
    assert parse_database_url("sqlite:///x.db").drivername == "sqlite"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hush", "not a database URL; write it like"),
        ("postgresql://u:hush@h:port/n", "not a database URL; write it like"),
        ("gopher://u:hush@h/n", "no database is known as 'gopher'"),
        ("postgresql://u:hush@h:99999/n", "its port is none, 1 to 65535"),
        ("postgresql://u:hush@h:0/n", "its port is none, 1 to 65535"),
        ("postgresql://u:hush%00@h/n", "it holds a NUL"),
        ("postgresql://u:hush@h/n%00", "it holds a NUL"),
    ],
)
def test_a_database_that_cannot_be_reached_by_its_url_is_told_without_its_secrets(text, message):
    with pytest.raises(ValueError) as refused:
        parse_database_url(text)
    assert str(refused.value).startswith(message)
    assert "hush" not in str(refused.value)


def test_a_driver_that_is_missing_is_named_and_no_extra_of_ours_that_would_not_bring_it():
    with pytest.raises(ValueError) as refused:
        parse_database_url("mysql+pymysql://u:hush@h/n")
    assert str(refused.value) == "its driver 'pymysql' is not installed"


def test_of_two_drivers_for_postgresql_psycopg2_is_taken_and_else_the_one_that_is_there(
    tmp_path, monkeypatch
):
    (tmp_path / "psycopg").mkdir()
    (tmp_path / "psycopg" / "__init__.py").touch()
    (tmp_path / "psycopg2").mkdir()
    (tmp_path / "psycopg2" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert parse_database_url("postgres://h/n").drivername == "postgresql+psycopg2"
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    assert parse_database_url("postgres://h/n").drivername == "postgresql+psycopg"
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ValueError, match="'psycopg2' is not installed"):
        parse_database_url("postgres://h/n")


@pytest.mark.parametrize(
    ("secret", "weakness"),
    [
        ("7f3b9c1e5a8d2460b7e9f1a3c5d80246", None),
        ("7f3b9c1e5a8d2460b7e9f1a3c5d8024", "too short"),
        ("7F3B9C1E5A8D2460B7E9F1A3C5D80246", None),
        ("83920174650918273645564738291", "too short"),
        ("kq7vXw2mZr9tLb4nHc6sYd", None),
        ("kq7vXw2mZr9tLb4nHc6sY", "too short"),
        ("zmkqwvtyhbnxrpdlgcsfjeauioq", "too short"),
        ("zmkqwvtyhbnxrpdlgcsfjeauioqz", None),
        ("a" * 64, "too repetitive"),
        ("ab" * 32, "too repetitive"),
        ("0123456789abcdef" * 4, "too repetitive"),
        ("abcdefghijklmnopqrstuvwxyz0123456789", "too repetitive"),
        ("correct-horse-" * 4, "too repetitive"),
        ("", "too short"),
    ],
)
def test_a_secret_has_128_bits_and_does_not_repeat_itself(secret, weakness):
    assert (secret_weakness(secret) or "").startswith(weakness or "")
    assert (secret_weakness(secret) is None) is (weakness is None)


PI = "31415926535897932384626433832795028841"
SIGNS = "".join(chr(0x4E00 + 7 * number) for number in range(128))
UNFORESEEN = "7f3b9c1e5a8d2460b7e9f1"


@pytest.mark.parametrize(
    ("longest", "one_more"),
    [(PI, "9"), ("4-7190-2836-5027-9416-3850-6172-948", "1"), (SIGNS[:-1], SIGNS[-1])],
    ids=["of ten digits", "of digits and a hyphen", "of signs, which count as two"],
)
def test_the_bits_of_a_secret_go_by_the_kinds_of_its_characters(longest, one_more):
    assert secret_weakness(longest) == "too short, at least 128 bits"
    assert secret_weakness(longest + one_more) is None


def test_a_secret_has_eight_different_characters_at_least():
    assert secret_weakness("2cc466ac00c6c06a2ee008e626026622") is None
    assert secret_weakness("aa4264a468c62a82ccac4ac86068cc6c") == "too repetitive"


@pytest.mark.parametrize(
    ("quarter", "more"),
    [
        ("a" * 10 + UNFORESEEN, "a" * 11 + UNFORESEEN[:-1]),
        (UNFORESEEN + "a" * 10, UNFORESEEN[:-1] + "a" * 11),
        ("0123456789" + UNFORESEEN, "abc0123456789" + UNFORESEEN[:-3]),
        ("9876543210" + UNFORESEEN, "9876543210" + UNFORESEEN[:19] + "cba"),
        (UNFORESEEN[:11] * 2 + "0246ace135", UNFORESEEN[:12] * 2 + "0246ace1"),
    ],
    ids=["at its start", "at its end", "upwards", "downwards", "again"],
)
def test_a_quarter_of_a_secret_may_follow_from_what_is_before_and_no_more(quarter, more):
    assert (len(quarter), len(more)) == (32, 32)
    assert secret_weakness(quarter) is None
    assert secret_weakness(more) == "too repetitive"


def test_a_series_in_steps_of_two_is_none():
    assert secret_weakness("0246813579acebdf97531fdbeca86420") is None


@given(st.binary(min_size=16, max_size=64))
def test_what_chance_makes_of_128_bits_is_strong_enough(seed):
    """As `openssl rand -hex 16` prints it: a digest is as good as chance."""
    assert secret_weakness(hashlib.sha256(seed).hexdigest()[:32]) is None
