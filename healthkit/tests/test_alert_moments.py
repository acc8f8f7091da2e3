"""The moments that the policy keeps: when a fault began and ended, when somebody is reminded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from healthkit import EventKind, Status
from healthkit._alerts.policy import Level, Rules, State, acknowledge, decide, observe

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
H, D, U = Status.HEALTHY, Status.DEGRADED, Status.UNHEALTHY
ONCE = Rules(fail_after=1, recover_after=1, flap_window=0)


def follow(results, rules=ONCE, state=None):
    """Takes a result each minute; returns the state and all decisions, each with its minute."""
    state, said = state or State(), []
    for minute, status in enumerate(results):
        now = NOON + minute * MINUTE
        state, due = decide(observe(state, status, now, rules), now, rules)
        said += [(minute, decision) for decision in due]
    return state, said


def test_a_check_that_was_never_bad_has_no_beginning_and_no_end_of_a_fault():
    state, said = follow([H, H, H])
    assert (state.since, state.down_since, state.until, state.down_until) == (None,) * 4
    assert said == []


def test_a_degraded_check_has_been_so_since_its_first_result_and_until_its_first_good_one():
    rules = replace(ONCE, fail_after=3, recover_after=2)
    state, said = follow([H, D, D, D, H, H], rules)
    (_, began), (_, ended) = said
    assert (began.kind, began.since) == (EventKind.DEGRADED, NOON + MINUTE)
    assert (ended.kind, ended.since, ended.until) == (
        EventKind.RESTORED,
        NOON + MINUTE,
        NOON + 4 * MINUTE,
    )
    assert state.down_until is None


def test_an_outage_has_an_end_only_once_it_has_ended():
    state, _ = follow([U, U])
    assert (state.until, state.down_until) == (None, None)
    state, _ = follow([U, U, D])
    assert (state.until, state.down_until) == (None, NOON + 2 * MINUTE)
    state, _ = follow([U, U, D, H])
    assert (state.until, state.down_until) == (NOON + 3 * MINUTE, NOON + 2 * MINUTE)
    state, _ = follow([U, U, D, H, H, H])
    assert (state.until, state.down_until) == (NOON + 3 * MINUTE, NOON + 2 * MINUTE)


def test_an_outage_of_which_nobody_knows_yet_began_with_its_first_failure():
    """A good result in between does not end it, where two are asked for."""
    rules, state = replace(ONCE, recover_after=2), State()
    for minute, status in enumerate([U, H, U]):
        state = observe(state, status, NOON + minute * MINUTE, rules)
        state, said = decide(state, NOON + minute * MINUTE, rules, muted=True)
        assert said == ()
    _, (down,) = decide(state, NOON + 3 * MINUTE, rules)
    assert (down.kind, down.since) == (EventKind.DOWN, NOON)


@pytest.mark.parametrize(("window", "flapping"), [(0, False), (1, False), (2, True), (3, True)])
def test_flapping_is_measured_over_two_results_at_least(window, flapping):
    state, _ = follow([H, U], replace(ONCE, flap_window=window))
    assert state.flapping is flapping
    assert (state.recent_results != "") is flapping


@pytest.mark.parametrize(("failures", "flapping"), [(4, True), (5, True), (6, False)])
def test_a_restless_fault_stays_after_twice_the_failures_that_count(failures, flapping):
    rules = Rules(fail_after=3, recover_after=1, flap_window=12, flap_start=0.4, flap_end=0.1)
    state, _ = follow([H, U] * 5 + [H] + [U] * failures, rules)
    assert state.flapping is flapping


RESTLESS = Rules(fail_after=1, recover_after=1, flap_window=4, flap_start=0.6, flap_end=0.3)


@pytest.mark.parametrize("quiet", [{"muted": True}, {"inhibited": True}])
def test_a_flapping_check_reminds_nobody_while_it_is_muted_or_inhibited(quiet):
    rules = replace(RESTLESS, remind_every=MINUTE)
    state, _ = follow([H, U, H, U], rules)
    assert state.flapping
    later = NOON + 100 * MINUTE
    assert decide(state, later, rules, **quiet)[1] == ()
    assert [one.kind for one in decide(state, later, rules)[1]] == [EventKind.FLAPPING]


def test_that_it_flaps_reminds_as_well_where_a_reminder_is_due_in_that_moment():
    rules = replace(RESTLESS, remind_every=2 * MINUTE)
    state, said = follow([H, U, H, U], rules)
    kinds = [(minute, one.kind) for minute, one in said]
    assert kinds[-1] == (3, EventKind.FLAPPING)
    due = replace(state, notified_flapping=False, remind_at=NOON + 5 * MINUTE)
    after, said = decide(due, NOON + 5 * MINUTE, rules)
    assert [one.kind for one in said] == [EventKind.FLAPPING]
    assert after.remind_at == NOON + 7 * MINUTE


@pytest.mark.parametrize(
    ("results", "escalates"), [([H, U, H, U], True), ([U, H, U, H], True), ([H, D, H, D], False)]
)
def test_what_was_down_while_it_flapped_escalates_and_what_was_degraded_does_not(
    results, escalates
):
    rules = replace(RESTLESS, escalate_after=30 * MINUTE)
    state, _ = follow(results, rules)
    assert state.flapping
    kinds = [one.kind for one in decide(state, NOON + 60 * MINUTE, rules)[1]]
    assert kinds == ([EventKind.ESCALATION] if escalates else [])


@pytest.mark.parametrize(
    "settings", [{"remind_every": 10 * MINUTE}, {"escalate_after": 10 * MINUTE}]
)
def test_that_it_begins_to_flap_puts_off_neither_a_reminder_nor_the_escalation(settings):
    rules = replace(RESTLESS, **settings)
    state, _ = follow([U, H, U, H], rules)
    steady = replace(state, notified_flapping=False, remind_at=None, escalate_at=None)
    key = "remind_at" if "remind_every" in settings else "escalate_at"
    set_before = replace(steady, **{key: NOON + 9 * MINUTE})
    after, _ = decide(set_before, NOON + 5 * MINUTE, rules)
    assert getattr(after, key) == NOON + 9 * MINUTE
    begun, _ = decide(steady, NOON + 5 * MINUTE, rules)
    assert getattr(begun, key) == NOON + 15 * MINUTE


def test_who_took_on_an_incident_has_not_taken_on_the_next():
    state, _ = follow([U])
    state = acknowledge(state)
    assert follow([D], state=state)[0].acknowledged
    assert not follow([D, H], state=state)[0].acknowledged
    assert not follow([D, H, U], state=state)[0].acknowledged


@pytest.mark.parametrize(
    ("first", "number", "gap"),
    [
        (timedelta(minutes=15), 1, timedelta(minutes=30)),
        (timedelta(minutes=15), 6, timedelta(hours=16)),
        (timedelta(minutes=15), 7, timedelta(hours=24)),
        (timedelta(seconds=1), 16, timedelta(seconds=65_536)),
        (timedelta(seconds=1), 17, timedelta(hours=24)),
        (timedelta(milliseconds=1), 10**6, timedelta(hours=24)),
        (timedelta(hours=30), 3, timedelta(hours=30)),
    ],
)
def test_each_gap_is_twice_the_one_before_up_to_a_day(first, number, gap):
    rules = replace(ONCE, remind_every=first)
    state, _ = follow([U], rules)
    state = replace(state, reminders=number - 1, remind_at=NOON)
    after, _ = decide(state, NOON, rules)
    assert (after.notified, after.reminders) == (Level.DOWN, number)
    assert after.remind_at == NOON + gap
