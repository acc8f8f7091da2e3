from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit import Status
from healthkit_backup_freshness.catalogue import (
    BackupFile,
    SidecarManifest,
    backup,
    is_backup,
    stamp,
)
from healthkit_backup_freshness.evaluation import FreshnessRules, evaluate

NOW = datetime(2025, 12, 26, 3, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MB = 10**6
JAKARTA = ZoneInfo("Asia/Jakarta")
RULES = FreshnessRules(max_age=26 * HOUR, min_size=MB, max_restore_age=35 * DAY)


def dump(age=HOUR, size=5 * MB, name=None, manifest=None, unreadable=False):
    at = NOW - age
    return BackupFile(name or f"pos_{at:%Y%m%d_%H%M%S}.dump.gz", at, size, manifest, unreadable)


def proven(age=HOUR, size=5 * MB, **keys):
    """A backup with a manifest in which nothing is amiss but for `keys`."""
    at = NOW - age
    whole = {"created_at": at, "size_bytes": size, "verified_at": at, "uploaded_at": at}
    return dump(age, size, manifest=SidecarManifest(**{**whole, "s3_expected": True, **keys}))


def found(*backups):
    outcome = evaluate(backups, NOW, RULES)
    return outcome.status, outcome.message


def test_a_fresh_backup_is_healthy_and_told_with_its_age_and_size():
    outcome = evaluate([dump(30 * HOUR), dump(2.5 * HOUR)], NOW, RULES)
    assert (outcome.status, outcome.message) == (Status.HEALTHY, "2h30m0s old, 5.0 MB")
    assert outcome.details == {
        "newest": "pos_20251226_003000.dump.gz",
        "age": "2h30m0s",
        "size_bytes": 5 * MB,
        "count": 2,
    }


@pytest.mark.parametrize(
    ("backups", "status", "message"),
    [
        ([], Status.UNHEALTHY, "there is no backup"),
        ([dump(26 * HOUR)], Status.HEALTHY, "26h0m0s old, 5.0 MB"),
        (
            [dump(27 * HOUR)],
            Status.UNHEALTHY,
            "the newest backup is 27h0m0s old, more than 26h0m0s",
        ),
        ([dump(size=0)], Status.UNHEALTHY, "the newest backup is empty"),
        (
            [dump(size=MB - 1000)],
            Status.UNHEALTHY,
            "the newest backup is too small: 999.0 KB, less than 1.0 MB",
        ),
        ([dump(size=MB)], Status.HEALTHY, "1h0m0s old, 1.0 MB"),
        ([dump(-HOUR / 2)], Status.HEALTHY, "0s old, 5.0 MB"),
        (
            [dump(-30 * HOUR)],
            Status.DEGRADED,
            "the newest backup is dated 30h0m0s in the future",
        ),
    ],
)
def test_the_newest_backup_is_judged_by_age_and_size(backups, status, message):
    assert found(*backups) == (status, message)


def test_several_faults_are_told_together_the_worst_first():
    status, message = found(proven(30 * HOUR, size=0, verified_at=None))
    assert status is Status.UNHEALTHY
    assert message == (
        "the newest backup is 30h0m0s old, more than 26h0m0s; the newest backup is empty;"
        " the newest backup is unverified"
    )


@pytest.mark.parametrize(
    ("keys", "status", "message"),
    [
        ({}, Status.HEALTHY, "1h0m0s old, 5.0 MB"),
        ({"verified_at": None}, Status.DEGRADED, "the newest backup is unverified"),
        ({"uploaded_at": None}, Status.DEGRADED, "the newest backup is not uploaded"),
        ({"uploaded_at": None, "s3_expected": False}, Status.HEALTHY, "1h0m0s old, 5.0 MB"),
        (
            {"size_bytes": 9 * MB},
            Status.UNHEALTHY,
            "the newest backup is cut: 5.0 MB of 9.0 MB",
        ),
    ],
)
def test_the_manifest_of_the_newest_backup_tells_what_is_not_proven(keys, status, message):
    assert found(proven(25 * HOUR, verified_at=None), proven(**keys)) == (status, message)


def test_a_newest_backup_without_manifest_is_unverified_where_others_have_one():
    assert found(proven(25 * HOUR), dump()) == (
        Status.DEGRADED,
        "the newest backup has no manifest, so it is unverified",
    )
    assert found(dump(25 * HOUR), dump())[0] is Status.HEALTHY
    assert found(dump(unreadable=True)) == (
        Status.DEGRADED,
        "the manifest of the newest backup cannot be read",
    )


@pytest.mark.parametrize(
    ("sizes", "newest", "status"),
    [
        ([10, 10, 10], 5, Status.HEALTHY),
        ([10, 10, 10], 4.9, Status.UNHEALTHY),
        ([10, 10], 2, Status.HEALTHY),  # too few to be usual
        ([90, 90, 90, *[4] * 7], 2.5, Status.HEALTHY),  # only the last seven count
        ([10, 10, 10, 10, 900], 6, Status.HEALTHY),  # the median, not the mean
    ],
)
def test_a_backup_far_below_the_usual_size_is_too_small(sizes, newest, status):
    days = range(len(sizes), 0, -1)
    earlier = [proven(day * DAY, int(size * MB)) for day, size in zip(days, sizes, strict=True)]
    outcome = evaluate([*earlier, proven(size=int(newest * MB))], NOW, RULES)
    assert outcome.status is status
    if status is Status.UNHEALTHY:
        assert outcome.message == "the newest backup is too small: 4.9 MB, usual are 10.0 MB"


def test_sizes_are_not_compared_without_a_catalogue():
    earlier = [dump(day * DAY, 10 * MB) for day in (3, 2, 1)]
    assert found(*earlier, dump(size=2 * MB))[0] is Status.HEALTHY


@pytest.mark.parametrize(
    ("first", "restored", "status", "message"),
    [
        (90, 35, Status.HEALTHY, None),
        (90, 36, Status.DEGRADED, "no backup has been restored for 36 days"),
        (35, None, Status.HEALTHY, None),  # a young catalogue is not yet overdue
        (40, None, Status.DEGRADED, "no backup has been restored for 40 days, or ever"),
    ],
)
def test_a_backup_is_to_be_restored_now_and_then(first, restored, status, message):
    restored_at = NOW - restored * DAY if restored else None
    backups = [proven(first * DAY), proven(2 * DAY, restored_at=restored_at), proven()]
    outcome = evaluate(backups, NOW, RULES)
    assert outcome.status is status
    assert message is None or outcome.message == message


def test_a_rotation_does_not_forget_when_the_first_was_made_and_one_last_restored():
    never = proven(first_created_at=NOW - 40 * DAY)
    assert (
        evaluate([never], NOW, RULES).message == "no backup has been restored for 40 days, or ever"
    )
    long_ago = proven(first_created_at=NOW - 90 * DAY, last_restored_at=NOW - 36 * DAY)
    assert evaluate([long_ago], NOW, RULES).message == "no backup has been restored for 36 days"
    lately = proven(first_created_at=NOW - 90 * DAY, last_restored_at=NOW - 3 * DAY)
    assert evaluate([lately], NOW, RULES).status is Status.HEALTHY


def test_restores_are_not_asked_for_where_no_manifest_says_when_it_was_made():
    assert found(dump(90 * DAY), dump())[0] is Status.HEALTHY
    undated = SidecarManifest(verified_at=NOW)
    assert found(dump(90 * DAY, manifest=undated), dump(manifest=undated))[0] is Status.HEALTHY


@given(st.lists(st.integers(0, 400), min_size=1, unique=True), st.randoms())
def test_the_order_in_which_files_are_listed_does_not_matter(ages, random):
    backups = [proven(age * HOUR) for age in ages]
    shuffled = list(backups)
    random.shuffle(shuffled)
    assert evaluate(shuffled, NOW, RULES) == evaluate(backups, NOW, RULES)


@given(
    age=st.timedeltas(-400 * DAY, 400 * DAY),
    size=st.integers(0, 10**13),
    manifest=st.none() | st.builds(SidecarManifest, size_bytes=st.none() | st.integers(0, 10**13)),
)
def test_no_backup_whatever_is_beyond_judgement(age, size, manifest):
    outcome = evaluate([dump(age, size, "x", manifest)], NOW, RULES)
    late_or_small = age > RULES.max_age or size < RULES.min_size
    assert not (late_or_small and outcome.status is Status.HEALTHY)


# What a file says of itself


def test_the_time_is_the_manifests_else_the_names_else_the_files():
    name, modified = "steak_kenangan_daily_20251226_021530.dump.gz", NOW - 9 * HOUR
    manifest = b'{"created_at": "2025-12-25T19:15:33Z", "kind": "daily", "sha256": "ab"}'
    assert backup(name, 1, modified, manifest, JAKARTA).at == datetime(
        2025, 12, 25, 19, 15, 33, tzinfo=UTC
    )
    from_name = datetime(2025, 12, 25, 19, 15, 30, tzinfo=UTC)
    assert backup(name, 1, modified, None, JAKARTA).at == from_name
    assert backup(name, 1, modified, b"{}", JAKARTA).at == from_name
    assert backup("latest.dump.gz", 1, modified, None, JAKARTA).at == modified
    assert backup("x_20251399_021530.gz", 1, modified, None, JAKARTA).at == modified


def test_a_stamp_is_read_on_the_wall_clock_of_its_zone():
    assert stamp("a_20250701_120000.gz", ZoneInfo("Europe/Berlin")).hour == 10
    assert stamp("a_20250701_120000.gz", UTC).hour == 12
    assert stamp("a_120250701_1200001.gz", UTC) is None


@pytest.mark.parametrize("text", [b"", b"[]", b'{"created_at": "soon"}', b"\xff\xfe", b'{"size'])
def test_a_manifest_that_makes_no_sense_is_unreadable_not_a_crash(text):
    one = backup("x.dump.gz", 1, NOW, text, JAKARTA)
    assert one.unreadable
    assert one.at == NOW


def test_times_without_a_zone_are_utc():
    text = b'{"created_at": "2025-12-26T02:00:00", "verified_at": "2025-12-26T09:00:00+07:00"}'
    manifest = backup("x", 1, NOW, text, JAKARTA).manifest
    assert manifest.created_at == manifest.verified_at == NOW - HOUR


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("a.dump.gz", True),
        ("a.dump.gz.age", True),
        (".a.dump.gz", False),
        ("a.dump.gz.part", False),
        ("a.dump.gz.tmp", False),
        ("a.dump.gz.manifest.json", False),
        ("README", False),
    ],
)
def test_only_whole_files_under_their_final_names_count(name, counts):
    assert is_backup(name, "*.dump.gz") is counts
    assert is_backup(name, "*") is (counts or name == "README")


def test_nothing_found_is_told_as_nothing():
    assert evaluate([], NOW, RULES).details == {"count": 0}


def test_the_seven_backups_before_say_what_size_is_usual():
    """Of six, or of eight, the median would be 55 MB, of which 45 MB is more than half."""
    sizes = [10, 100, 100, 100, 100, 10, 10, 10]  # the oldest first
    earlier = [
        proven((len(sizes) - i) * HOUR + HOUR, size * MB, created_at=None, size_bytes=None)
        for i, size in enumerate(sizes)
    ]
    status, message = found(*earlier, proven(HOUR, 45 * MB))
    assert status is Status.UNHEALTHY
    assert message == "the newest backup is too small: 45.0 MB, usual are 100.0 MB"


def test_a_clock_may_be_ahead_by_an_hour_and_no_more():
    assert found(dump(-HOUR))[0] is Status.HEALTHY
    status, message = found(dump(-HOUR - timedelta(seconds=1)))
    assert (status, message) == (
        Status.DEGRADED,
        "the newest backup is dated 1h0m1s in the future",
    )


def test_what_is_worst_is_told_first():
    status, message = found(dump(-2 * HOUR, size=0))
    assert status is Status.UNHEALTHY
    assert message == (
        "the newest backup is empty; the newest backup is dated 2h0m0s in the future"
    )
