"""The rules about backups: names, manifests, which are intact, what is too small.

Retention has its own file.
"""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from posapp import JAKARTA
from posapp.backup.compression import DUMP_TRAILER, TRAILER_WINDOW, TrailerCheck
from posapp.backup.errors import BackupError
from posapp.backup.loading import compare_row_counts
from posapp.backup.model.backup import (
    Backup,
    BackupName,
    format_local,
    format_stamp,
    newest_intact,
    parse_stamp,
)
from posapp.backup.model.manifest import Manifest, carried_timestamps
from posapp.backup.model.retention import USUAL_FROM, USUAL_OF, usual_size_if_too_small
from posapp.backup.postgres.databases import sibling_name
from posapp.backup.signing import SigningKey
from posapp.backup.storage.lookup import _compare_with_manifest
from tests.backup.kit import KEY, NOON, manifest_for

NAME = BackupName(NOON, "daily")
HOUR = timedelta(hours=1)
moments = st.integers(0, 100 * 365 * 86_400).map(
    lambda seconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def a_backup(at=NOON, kind="daily", size=1, location="/b/daily/x", **changes):
    name = BackupName(at, kind)
    return Backup(name, size, manifest_for(name, **{"size_bytes": size, **changes}), location)


# Names


def test_a_signature_holds_whatever_zone_the_clock_is_in():
    """Else what was signed is read back in UTC, and is another text."""
    key, local = SigningKey(KEY), NOON.astimezone(JAKARTA)
    made = manifest_for(BackupName(NOON, "daily")).with_timestamps(verified_at=local)
    signed = key.sign(made.as_restored(local, "PostgreSQL 18", 1.0))
    assert key.has_signed(Manifest.parse(signed.dump()))


def test_a_backup_has_a_dump_a_manifest_and_the_roles():
    assert NAME.files == (
        "steak_kenangan_daily_20251226_120000.dump.gz",
        "steak_kenangan_daily_20251226_120000.dump.gz.manifest.json",
        "steak_kenangan_daily_20251226_120000.globals.sql",
    )


def test_an_encrypted_one_ends_in_age_and_its_roles_do_not():
    assert BackupName(NOON, "daily", encrypted=True).files == (
        "steak_kenangan_daily_20251226_120000.dump.gz.age",
        "steak_kenangan_daily_20251226_120000.dump.gz.age.manifest.json",
        "steak_kenangan_daily_20251226_120000.globals.sql",
    )


def test_each_kind_has_its_own_folder():
    name = BackupName(NOON, "pre-deploy")
    assert name.key == "pre-deploy/steak_kenangan_pre-deploy_20251226_120000.dump.gz"
    assert name.key_of(name.globals) == f"pre-deploy/{name.globals}"


@given(moments)
def test_a_stamp_is_read_as_it_is_written(moment):
    assert parse_stamp(format_stamp(moment)) == moment
    assert parse_stamp(format_stamp(moment)).tzinfo is UTC


def test_times_for_people_are_jakartas():
    assert format_stamp(NOON) == "20251226_120000"
    assert format_local(NOON) == "2025-12-26 12:00:00"


@given(st.lists(moments, min_size=2, max_size=2, unique=True))
def test_names_sort_by_time_before_all_else(pair):
    early, late = sorted(pair)
    assert BackupName(early, "weekly", True) < BackupName(late, "daily", False)


# Intact


def test_what_was_verified_and_has_its_size_is_intact():
    assert a_backup().intact


@pytest.mark.parametrize(
    "changes",
    [
        {"verified_at": None},
        {"size_bytes": 2},
        {"size_bytes": 0},
        {"file": "steak_kenangan_daily_20251226_120001.dump.gz"},
    ],
)
def test_what_was_not_verified_or_is_of_another_file_or_size_is_not_intact(changes):
    assert not a_backup(**changes).intact


def test_what_has_no_manifest_is_not_intact():
    assert not Backup(NAME, 1, None, "/b/daily/x").intact


@pytest.mark.parametrize(
    ("changes", "pending"),
    [
        ({"s3_expected": True}, True),
        ({"s3_expected": False}, False),
        ({"s3_expected": True, "uploaded_at": NOON}, False),
        ({"s3_expected": True, "verified_at": None}, False),
    ],
)
def test_only_an_intact_backup_that_belongs_into_s3_and_is_not_there_is_to_be_uploaded(
    changes, pending
):
    assert a_backup(**changes).upload_pending is pending


def test_what_has_no_manifest_is_not_to_be_uploaded():
    assert not Backup(NAME, 1, None, "/b/daily/x").upload_pending


@pytest.mark.parametrize(
    ("location", "in_s3"), [("s3://b/daily/x", True), ("/s3://b", False), ("/b/daily/x", False)]
)
def test_a_backup_with_an_s3_url_lies_in_s3(location, in_s3):
    assert a_backup(location=location).in_s3 is in_s3


@given(st.lists(st.tuples(moments, st.booleans()), max_size=20))
def test_the_newest_intact_backup_is_intact_and_no_intact_one_is_newer(found):
    backups = [a_backup(at, verified_at=at if intact else None) for at, intact in found]
    newest = newest_intact(backups)
    intact = [backup.at for backup in backups if backup.intact]
    assert (newest.at if newest else None) == max(intact, default=None)
    assert newest is None or newest.intact


# Manifests


@given(moments, moments)
def test_a_manifest_is_read_as_it_is_written(verified, restored):
    manifest = manifest_for(NAME, verified_at=verified, restored_at=restored)
    assert Manifest.parse(manifest.dump()) == manifest
    assert manifest.dump().endswith(b"\n")


def test_times_in_a_manifest_are_utc_whatever_zone_they_are_given_in():
    east = timezone(timedelta(hours=7))
    for given_at in (NOON, NOON.astimezone(east), NOON.replace(tzinfo=None)):
        at = manifest_for(NAME, created_at=given_at).created_at
        assert at == NOON
        assert at.tzinfo is UTC or at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("key", ["size_bytes", "sql_bytes", "database_bytes"])
def test_sizes_are_not_negative_and_may_be_zero(key):
    text = manifest_for(NAME).dump().decode()
    assert Manifest.parse(text.replace(f'"{key}": 1', f'"{key}": 0').encode())
    assert Manifest.parse(text.replace(f'"{key}": 1', f'"{key}": -1').encode()) is None


@pytest.mark.parametrize("sha256", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64])
def test_a_checksum_is_64_small_hex_digits(sha256):
    text = manifest_for(NAME).dump().decode().replace("0" * 64, sha256)
    assert Manifest.parse(text.encode()) is None


def test_keys_of_a_later_version_are_no_reason_not_to_read_a_manifest():
    text = manifest_for(NAME).dump().decode().replace("{", '{"new": 1,', 1)
    assert Manifest.parse(text.encode()) == manifest_for(NAME)


def test_rows_are_those_of_all_tables():
    assert manifest_for(NAME, row_counts={"a": 2, "b": 40}).rows == 42


def test_other_timestamps_make_a_copy_and_change_nothing_else():
    before = manifest_for(NAME)
    after = before.with_timestamps(restored_at=NOON)
    assert (before.restored_at, after.restored_at) == (None, NOON)
    assert after.with_timestamps(restored_at=None) == before


def test_the_first_backup_is_its_own_first_and_was_never_restored():
    assert carried_timestamps([], NOON) == {"first_created_at": NOON, "last_restored_at": None}


@pytest.mark.parametrize("key", ["restored_at", "last_restored_at"])
def test_the_last_restore_is_carried_on_from_a_backup_and_from_those_before_it(key):
    earlier = [
        manifest_for(NAME, **{key: NOON}),
        manifest_for(NAME, restored_at=NOON - HOUR, last_restored_at=NOON - 2 * HOUR),
        manifest_for(NAME),
    ]
    assert carried_timestamps(earlier, NOON)["last_restored_at"] == NOON


@pytest.mark.parametrize("key", ["created_at", "first_created_at"])
def test_the_first_creation_is_carried_on_from_a_backup_and_from_those_before_it(key):
    earlier = [
        manifest_for(NAME, **{"created_at": NOON, key: NOON - HOUR}),
        manifest_for(NAME, created_at=NOON, first_created_at=NOON),
    ]
    assert carried_timestamps(earlier, NOON)["first_created_at"] == NOON - HOUR


# Too small


def earlier(*sizes, kind="daily", **changes):
    return [
        a_backup(NOON - n * HOUR, kind, size, **changes)
        for n, size in zip(range(len(sizes), 0, -1), sizes, strict=True)
    ]


def test_half_of_the_usual_size_is_large_enough_and_less_is_not():
    assert usual_size_if_too_small(a_backup(size=50), earlier(100, 100, 100)) is None
    assert usual_size_if_too_small(a_backup(size=49), earlier(100, 100, 100)) == 100


def test_it_takes_three_backups_to_know_what_is_usual():
    assert USUAL_FROM == 3
    assert usual_size_if_too_small(a_backup(size=1), earlier(100, 100)) is None
    assert usual_size_if_too_small(a_backup(size=1), earlier(100, 100, 100)) == 100


def test_the_usual_size_is_the_median_of_the_last_seven():
    assert USUAL_OF == 7
    grown = earlier(1, 1, 1, 1, 100, 100, 100, 100)  # the first is too long ago
    assert usual_size_if_too_small(a_backup(size=49), grown) == 100
    not_yet = earlier(1, 1, 1, 1, 1, 100, 100, 100)
    assert usual_size_if_too_small(a_backup(size=49), not_yet) is None


def test_other_kinds_and_broken_backups_say_nothing_about_the_usual_size():
    small = a_backup(size=1)
    assert usual_size_if_too_small(small, earlier(100, 100, 100, kind="weekly")) is None
    assert usual_size_if_too_small(small, earlier(100, 100, 100, verified_at=None)) is None


# Comparing


def test_the_same_rows_in_the_same_tables_are_the_same():
    compare_row_counts(NAME, manifest_for(NAME, row_counts={"a": 1, "b": 0}), {"b": 0, "a": 1})


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"a": 2, "b": 2}, "a: 2 instead of 1"),
        ({"a": 0, "b": 2}, "a: 0 instead of 1"),
        ({"b": 2}, "a: missing instead of 1"),
        ({"a": 1, "b": 2, "c": 0}, "c: 0 instead of none"),
        ({"a": 2, "b": 1}, "a: 2 instead of 1; b: 1 instead of 2"),
        ({}, "a: missing instead of 1; b: missing instead of 2"),
    ],
)
def test_one_row_or_table_more_or_less_is_an_error_that_names_it(counts, message):
    with pytest.raises(BackupError, match=f"other rows than its manifest says: {message}$"):
        compare_row_counts(NAME, manifest_for(NAME, row_counts={"a": 1, "b": 2}), counts)


def test_the_first_five_differences_are_named_by_table():
    expected = {f"t{n}": 1 for n in range(9)}
    with pytest.raises(BackupError) as caught:
        compare_row_counts(NAME, manifest_for(NAME, row_counts=expected), {})
    named = [f"t{n}: missing instead of 1" for n in range(5)]
    assert str(caught.value).endswith(f"says: {'; '.join(named)}")


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3)), st.data())
def test_rows_are_accepted_exactly_when_every_table_has_its_own(expected, data):
    counts = data.draw(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3)))
    manifest = manifest_for(NAME, row_counts=expected)
    if counts == expected:
        compare_row_counts(NAME, manifest, counts)
    else:
        with pytest.raises(BackupError):
            compare_row_counts(NAME, manifest, counts)


def test_what_agrees_with_its_manifest_is_accepted():
    _compare_with_manifest(a_backup(), manifest_for(NAME), "0" * 64, 1, 1)


@pytest.mark.parametrize(
    ("changes", "found", "message"),
    [
        ({"file": "x"}, ("0" * 64, 1, 1), "file x, and it is steak"),
        ({"kind": "weekly"}, ("0" * 64, 1, 1), "kind weekly, and it is daily"),
        ({}, ("1" * 64, 1, 1), "SHA-256 0+, and it is 1+"),
        ({}, ("0" * 64, 2, 1), "bytes 1, and it is 2"),
        ({}, ("0" * 64, 1, 0), "bytes of SQL 1, and it is 0"),
    ],
)
def test_what_disagrees_with_its_manifest_is_an_error_that_names_the_first_difference(
    changes, found, message
):
    with pytest.raises(BackupError, match=f"its manifest disagrees: {message}"):
        _compare_with_manifest(a_backup(), manifest_for(NAME, **changes), *found)


# The end of a dump


def ends(*blocks):
    check = TrailerCheck()
    for block in blocks:
        check.add(block)
    assert check.size == sum(map(len, blocks))
    return check.complete


@given(st.binary(max_size=200), st.lists(st.integers(0, 300), max_size=8))
def test_the_closing_line_is_found_wherever_the_blocks_are_cut(after, cuts):
    text = b"x" * 50 + DUMP_TRAILER + after
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    assert ends(*(text[a:b] for a, b in pairwise(edges)))


def test_a_dump_without_its_closing_line_is_not_complete():
    assert not ends()
    assert not ends(b"x" * 5000)
    assert not ends(DUMP_TRAILER[:-1])
    assert not ends(DUMP_TRAILER[:-1], b"!")


def test_the_closing_line_counts_only_within_the_last_bytes():
    room = TRAILER_WINDOW - len(DUMP_TRAILER)
    assert ends(DUMP_TRAILER, b"x" * room)
    assert not ends(DUMP_TRAILER, b"x" * (room + 1))
    assert ends(DUMP_TRAILER + b"x" * room)
    assert not ends(DUMP_TRAILER + b"x" * (room + 1))


# Databases beside the live one


def test_a_sibling_is_named_after_the_live_database_its_purpose_and_the_time():
    assert sibling_name("steak_kenangan", "before", NOON) == "steak_kenangan_before_20251226_120000"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_the_name_of_a_sibling_fits_into_postgresql(live):
    name = sibling_name(live, "restore", NOON)
    assert len(name.encode()) <= 63
    assert name.endswith("_restore_20251226_120000")
    kept = name.removesuffix("_restore_20251226_120000")
    assert live.startswith(kept)
    assert kept == live or len((kept + live[len(kept)]).encode()) > 63 - 24


def test_a_manifest_that_says_nothing_of_encryption_and_upload_had_neither():
    text = manifest_for(NAME).model_dump_json(exclude={"encrypted", "s3_expected"})
    manifest = Manifest.parse(text.encode())
    assert manifest is not None
    assert (manifest.encrypted, manifest.s3_expected) == (False, False)


def test_a_manifest_is_written_for_people_too_a_line_for_each_fact():
    lines = manifest_for(NAME).dump().decode().splitlines()
    assert lines[0] == "{"
    assert lines[1].startswith('  "file": "steak_kenangan_daily_')


def test_what_a_manifest_says_changes_only_in_a_copy():
    manifest = manifest_for(NAME)
    with pytest.raises(ValidationError):
        manifest.verified_at = NOON
    assert manifest.with_timestamps(verified_at=NOON).verified_at == NOON
