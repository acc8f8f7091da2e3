"""The rules of moments: how one is written, and which base backup one comes from."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from posapp.backup.base_backup import BaseBackup, as_made, choose_base
from posapp.backup.errors import Refused
from posapp.backup.model.base import BaseManifest
from posapp.backup.point_in_time import parse_target_time

NOW = datetime(2025, 12, 26, 5, 0, tzinfo=UTC)


def made_at(segment, at, system="1"):
    manifest = BaseManifest(
        ended_at=at,
        size_bytes=1,
        sha256="0" * 64,
        tar_bytes=1,
        encrypted=False,
        identity=None,
        system_identifier=system,
        server_version="17",
        first_segment=f"{segment:024X}",
        segment_bytes=1 << 24,
    )
    return BaseBackup(at, Path(f"{system}/{segment}"), manifest)


def test_base_backups_are_in_the_order_in_which_they_were_made_whatever_the_clock_said():
    day = timedelta(days=1)
    ahead, later, newest = made_at(2, NOW + 400 * day), made_at(3, NOW), made_at(4, NOW + day)
    assert as_made([newest, ahead, later]) == [ahead, later, newest]
    assert choose_base([newest, ahead, later], None) == newest
    moved = made_at(1, NOW + day, system="2")
    assert as_made([moved, made_at(9, NOW)]) == [made_at(9, NOW), moved]


def test_target_time_defaults_to_jakarta():
    assert parse_target_time("2025-12-26 10:30", NOW) == datetime(2025, 12, 26, 3, 30, tzinfo=UTC)
    assert parse_target_time("2025-12-26T01:30:00+00:00", NOW) == datetime(
        2025, 12, 26, 1, 30, tzinfo=UTC
    )
    assert parse_target_time("latest", NOW) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-12-25", datetime(2025, 12, 24, 17, tzinfo=UTC)),
        ("2025-12-25T10:30:15.5", datetime(2025, 12, 25, 3, 30, 15, 500_000, tzinfo=UTC)),
        ("2025-12-25 10:30Z", datetime(2025, 12, 25, 10, 30, tzinfo=UTC)),
        ("2025-12-25 10:30+08", datetime(2025, 12, 25, 2, 30, tzinfo=UTC)),
        ("20251225 103015", datetime(2025, 12, 25, 3, 30, 15, tzinfo=UTC)),
        ("20251225T1030+0800", datetime(2025, 12, 25, 2, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_the_forms_that_mean_one_thing(text, moment):
    assert parse_target_time(text, NOW) == moment


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yesterday", "is not a time"),
        ("2030-01-01 00:00", "is in the future"),
        ("2025-12-25 10.30", "is not a time"),  # half past ten, and never ten
        ("2025-12-25 10,30", "is not a time"),
        ("2025-12-25 10", "is not a time"),
        ("2025-12-25x10:30", "is not a time"),
        ("2025-W52-4", "is not a time"),
        ("2025-12-25 24:00", "is not a time"),
        ("٢٠٢٥-12-25 10:30", "is not a time"),
    ],
)
def test_what_is_no_moment_is_refused(text, message):
    with pytest.raises(Refused, match=message):
        parse_target_time(text, NOW)


def test_the_newest_base_before_the_moment_is_chosen():
    made = [BaseBackup(NOW - timedelta(days=day), Path(f"{day}")) for day in (3, 2, 1)]
    assert choose_base(made, NOW - timedelta(days=1, hours=1)) == made[1]
    assert choose_base(made, None) == made[2]
    with pytest.raises(Refused, match="no base backup is that old; the oldest is of 2025-12-23"):
        choose_base(made, NOW - timedelta(days=9))
    with pytest.raises(Refused, match="posapp backup base makes one"):
        choose_base([], None)
