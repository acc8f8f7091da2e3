"""Several who keep their backups in one place: each is judged by its own, without any file."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit import Status
from healthkit_backup_freshness.catalogue import BackupFile, SidecarManifest
from healthkit_backup_freshness.evaluation import FreshnessRules, by_restaurant, evaluate_all

NOW = datetime(2025, 12, 26, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = FreshnessRules(max_age=26 * HOUR, min_size=1000, max_restore_age=timedelta(days=35))

FRESH = Status.HEALTHY, "1h0m0s old, 2.0 KB"
UNPROVEN = Status.DEGRADED, "the newest backup is unverified"
STALE = Status.UNHEALTHY, "the newest backup is 27h0m0s old, more than 26h0m0s"


def backup(owner=None, hours=1, verified=True, manifest=True):
    at = NOW - hours * HOUR
    seen = SidecarManifest(identity=owner, verified_at=at if verified else None)
    return BackupFile(f"{owner}_{hours}.gz", at, 2000, seen if manifest else None)


def of_each(*backups, identity=None):
    return {name: list(group) for name, group in by_restaurant(backups, identity).items()}


def found(*backups, identity=None):
    outcome = evaluate_all(backups, NOW, RULES, identity)
    return outcome.status, outcome.message


def test_of_the_only_owner_is_also_what_names_none():
    one, unnamed, bare = backup("a"), backup(None, 2), backup(None, 3, manifest=False)
    assert of_each(one, unnamed, bare) == {"": [one, unnamed, bare]}
    assert of_each(unnamed, bare) == {"": [unnamed, bare]}
    assert of_each() == {"": []}


def test_of_two_owners_each_has_its_own_by_name_and_what_names_none_is_nobodys():
    one, two, old = backup("a"), backup("b"), backup("a", 9)
    mine = {"a": [one, old], "b": [two]}
    grouped = of_each(two, one, backup(None, 2), backup(None, 3, manifest=False), old)
    assert grouped == mine
    assert list(grouped) == ["a", "b"], "in the order of their names"


def test_who_is_asked_for_by_name_gets_its_own_alone():
    one, two = backup("a"), backup("b")
    nobodys = [backup(None, 2), backup(None, 3, manifest=False)]
    assert of_each(one, two, *nobodys, identity="b") == {"b": [two]}
    assert of_each(one, *nobodys, identity="a") == {"a": [one]}
    assert of_each(one, two, identity="c") == of_each(identity="c") | {"c": []}


@given(st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=12))
def test_no_backup_that_names_its_owner_is_lost_or_counted_twice(owners):
    backups = [backup(owner, hours) for hours, owner in enumerate(owners)]
    grouped = [one.name for group in of_each(*backups).values() for one in group]
    for one in backups:
        assert grouped.count(one.name) == 1 or one.manifest.identity is None


def test_one_owner_is_judged_without_its_name():
    assert found() == (Status.UNHEALTHY, "there is no backup")
    assert found(backup("a")) == FRESH
    assert found(backup("a"), backup("b", 27), identity="a") == FRESH
    assert found(backup("a"), backup("b", 27), identity="b") == STALE
    assert found(backup("a"), identity="b") == (Status.UNHEALTHY, "there is no backup")
    assert evaluate_all([backup("a")], NOW, RULES, None).details["count"] == 1


@pytest.mark.parametrize(
    ("better", "worse"), [(FRESH, UNPROVEN), (UNPROVEN, STALE), (FRESH, STALE)]
)
def test_the_fresh_backups_of_one_hide_no_stale_ones_of_another_and_the_worst_comes_first(
    better, worse
):
    """A report may be cut at its end, so what is well stands there, whoever's name it is."""
    keys = {FRESH: {}, UNPROVEN: {"verified": False}, STALE: {"hours": 27}}
    a, b = backup("a", **keys[better]), backup("b", **keys[worse])
    assert found(a, b) == (worse[0], f"b: {worse[1]}; a: {better[1]}")
    a, b = backup("a", **keys[worse]), backup("b", **keys[better])
    assert found(a, b) == (worse[0], f"a: {worse[1]}; b: {better[1]}")
    assert evaluate_all([a, b], NOW, RULES, None).details == {"restaurants": 2}


@pytest.mark.parametrize("state", [FRESH, UNPROVEN, STALE])
def test_owners_in_the_same_state_come_in_the_order_of_their_names(state):
    keys = {FRESH: {}, UNPROVEN: {"verified": False}, STALE: {"hours": 27}}
    backups = [backup(owner, **keys[state]) for owner in "cab"]
    assert found(*backups) == (state[0], f"a: {state[1]}; b: {state[1]}; c: {state[1]}")
