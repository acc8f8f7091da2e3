"""What a manifest may say at most: its length, its years, bytes and seconds."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from posapp.backup.model.backup import BackupName
from posapp.backup.model.manifest import Manifest, as_utc
from tests.backup.kit import NOON, manifest_for

NAME = BackupName(NOON, "daily")


def accepted(**changes):
    try:
        manifest_for(NAME, **changes)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("year", "ours"), [(1969, False), (1970, True), (8999, True), (9000, False)]
)
def test_a_year_is_one_that_every_clock_can_show(year, ours):
    for moment in (datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, tzinfo=UTC)):
        assert accepted(created_at=moment) is ours
        if ours:
            assert as_utc(moment) == moment.replace(tzinfo=UTC)
        else:
            with pytest.raises(ValueError, match=f"the year {year} is none of ours"):
                as_utc(moment)


def test_a_manifest_of_four_million_bytes_is_read_and_one_byte_more_is_not():
    text = manifest_for(NAME).dump()
    assert Manifest.parse(text.ljust(4_000_000)) == manifest_for(NAME)
    assert Manifest.parse(text.ljust(4_000_001)) is None


@pytest.mark.parametrize("key", ["size_bytes", "sql_bytes", "database_bytes"])
def test_a_size_is_less_than_four_exbibytes(key):
    assert accepted(**{key: 4_611_686_018_427_387_903})
    assert not accepted(**{key: 4_611_686_018_427_387_904})


@pytest.mark.parametrize(
    ("seconds", "ours"),
    [(-0.1, False), (0, True), (0.1, True), (2_147_483_647.9, True), (2_147_483_648, False)],
)
def test_a_restore_takes_no_less_than_no_time_and_less_than_68_years(seconds, ours):
    assert accepted(restored_seconds=seconds) is ours


@pytest.mark.parametrize(("took", "said"), [(12.34, 12.3), (12.36, 12.4), (0.04, 0.0), (75, 75.0)])
def test_how_long_a_restore_took_is_kept_to_a_tenth_of_a_second(took, said):
    restored = manifest_for(NAME).as_restored(NOON, "PostgreSQL 18", took)
    assert restored.restored_seconds == said
    assert (restored.restored_at, restored.restored_on) == (NOON, "PostgreSQL 18")
