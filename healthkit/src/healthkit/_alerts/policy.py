"""Decides when a change is worth a notification: pure functions of a state and the time.

`observe` takes one result into the state; `decide` compares the state with what people have been
notified of, and returns the notifications that are due. The caller knows what is muted (a silence,
maintenance) and what is inhibited (by a dependency that fails). A muted fault sends nothing; when
the mute ends and the fault is still there, the notification follows. Whoever was notified of a
fault is notified of its recovery.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from healthkit._model.alerts import Decision, EventKind, Level, State, Streak
from healthkit._model.checks import Status

LONGEST_REMINDER_GAP = timedelta(hours=24)
"""Gaps double up to this, or to `remind_every` where that is longer."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of one check and its route, as far as the policy needs them."""

    fail_after: int = 3
    recover_after: int = 2
    remind_every: timedelta | None = None
    escalate_after: timedelta | None = None
    flap_window: int = 20
    """Results that flapping is measured over; 0 switches it off."""
    flap_start: float = 0.5
    """Share of changes in the window at which a check counts as flapping."""
    flap_end: float = 0.25


def observe(state: State, status: Status, at: datetime, rules: Rules) -> State:
    """Returns the state after one more result."""
    seen = Level.of(status)
    state = replace(
        state,
        degraded=_extend(state.degraded, seen >= Level.DEGRADED, at),
        down=_extend(state.down, seen >= Level.DOWN, at),
        hold_results=max(0, state.hold_results - 1),
    )
    return _confirm(_flap(state, seen, rules), rules)


def _extend(streak: Streak | None, reached: bool, at: datetime) -> Streak:
    if streak is None or streak.reached is not reached:
        return Streak(reached, 1, at)
    return replace(streak, count=streak.count + 1)


def _confirm(state: State, rules: Rules) -> State:
    """Moves the level when enough results in a row agree."""
    level = state.level
    if _holds(state.down, True, rules.fail_after):
        level = Level.DOWN
    elif _holds(state.degraded, True, rules.fail_after):
        level = max(level, Level.DEGRADED)
    if level is Level.DOWN and _holds(state.down, False, rules.recover_after):
        level = Level.DEGRADED
    if level is Level.DEGRADED and _holds(state.degraded, False, rules.recover_after):
        level = Level.HEALTHY
    state = _ended(state, level)
    since, down_since, acknowledged = state.since, state.down_since, state.acknowledged
    if level > Level.HEALTHY and state.level is Level.HEALTHY and state.degraded:
        acknowledged = False  # that was of the incident before
        since = since if state.notified > Level.HEALTHY else state.degraded.since
    if level is Level.DOWN and state.level < Level.DOWN and state.down:
        down_since = down_since if state.notified is Level.DOWN else state.down.since
    return replace(
        state, level=level, since=since, down_since=down_since, acknowledged=acknowledged
    )


def _ended(state: State, level: Level) -> State:
    """Records when an outage or an incident ended: the notification may follow after flapping."""
    if level < Level.DOWN <= state.level and state.down:
        state = replace(state, down_until=state.down.since)
    if level < Level.DEGRADED <= state.level and state.degraded:
        state = replace(state, until=state.degraded.since)
    return state


def _holds(streak: Streak | None, reached: bool, count: int) -> bool:
    return streak is not None and streak.reached is reached and streak.count >= count


def _flap(state: State, seen: Level, rules: Rules) -> State:
    if rules.flap_window < 2:
        return replace(state, recent_results="", flapping=False)
    recent = (state.recent_results + ("1" if seen else "0"))[-rules.flap_window :]
    stays = max(4, 2 * rules.fail_after)
    if state.flapping and recent.endswith("1" * stays):
        # A fault that stays is one, however restless it was before.
        return replace(state, recent_results="1" * stays, flapping=False)
    changes = _changes(recent)
    share = changes / (rules.flap_window - 1)
    flapping = share > rules.flap_end if state.flapping else share >= rules.flap_start
    return replace(state, recent_results=recent, flapping=flapping)


def _changes(recent: str) -> int:
    return sum(a != b for a, b in pairwise(recent))


def decide(
    state: State, now: datetime, rules: Rules, *, muted: bool = False, inhibited: bool = False
) -> tuple[State, tuple[Decision, ...]]:
    """Returns the new state and the notifications that are due.

    `muted`: no notification of new faults. `inhibited`: a dependency fails, which mutes as well and
    afterwards asks for a whole new row of failures, for the check may need a moment to come back.
    """
    if inhibited:
        state = replace(state, hold_results=rules.fail_after)
    due: list[Decision] = []
    state = _notify_flapping(state, now, rules, muted or inhibited, due)
    if state.flapping:
        if not (muted or inhibited):
            state = _remind_or_escalate(state, now, rules, due)
        return state, tuple(due)
    state = _notify_recovery(state, due)
    if not (muted or inhibited or state.hold_results):
        state = _notify_fault(state, now, rules, due)
        state = _remind_or_escalate(state, now, rules, due)
    return state, tuple(due)


def acknowledge(state: State) -> State:
    """Ends the reminders of this incident and its escalation: somebody works on it."""
    return replace(state, acknowledged=True)


def _notify_flapping(
    state: State, now: datetime, rules: Rules, muted: bool, due: list[Decision]
) -> State:
    """It goes on reminding and escalating: what is down every other minute is no less a fault."""
    if state.flapping and not state.notified_flapping and not muted:
        due.append(Decision(EventKind.FLAPPING, count=_changes(state.recent_results)))
        state = replace(state, notified_flapping=True)
        if rules.remind_every and state.remind_at is not None and state.remind_at <= now:
            state = replace(state, remind_at=now + rules.remind_every)  # this one reminds as well
        return _begin_reminding(state, now, rules) if _failed_lately(state) else state
    if not state.flapping and state.notified_flapping:
        due.append(Decision(EventKind.STEADY))
        state = replace(state, notified_flapping=False)
        return state if state.notified is Level.DOWN else _end_reminding(state)
    return state


def _failed_lately(state: State) -> bool:
    """Whether it was down, and not only degraded, within the window of flapping."""
    down = state.down
    return down is not None and (down.reached or down.count < len(state.recent_results))


def _begin_reminding(state: State, now: datetime, rules: Rules) -> State:
    """Sets the times of the first reminder and the escalation, unless they are set."""
    first = now + rules.remind_every if rules.remind_every else None
    escalation = now + rules.escalate_after if rules.escalate_after is not None else None
    begun = state.remind_at is not None or state.escalate_at is not None or state.reminders
    return state if begun else replace(state, remind_at=first, escalate_at=escalation)


def _end_reminding(state: State) -> State:
    return replace(state, reminders=0, remind_at=None, escalate_at=None)


def _notify_recovery(state: State, due: list[Decision]) -> State:
    if state.level >= state.notified:
        return state
    if state.notified is Level.DOWN:
        due.append(Decision(EventKind.UP, state.down_since, state.down_until))
    else:
        due.append(Decision(EventKind.RESTORED, state.since, state.until))
    acknowledged = state.acknowledged and state.level > Level.HEALTHY
    state = replace(state, notified=state.level, down_since=None, acknowledged=acknowledged)
    return _end_reminding(state)


def _notify_fault(state: State, now: datetime, rules: Rules, due: list[Decision]) -> State:
    if state.level <= state.notified:
        return state
    if state.level is Level.DEGRADED:
        due.append(Decision(EventKind.DEGRADED, state.since, now))
        return replace(state, notified=state.level)
    due.append(Decision(EventKind.DOWN, state.down_since, now))
    return _begin_reminding(_end_reminding(replace(state, notified=state.level)), now, rules)


def _remind_or_escalate(state: State, now: datetime, rules: Rules, due: list[Decision]) -> State:
    """Reminders, each after twice the gap of the one before, and one escalation."""
    if not (state.notified is Level.DOWN or state.notified_flapping) or state.acknowledged:
        return state
    state = _clock_went_back(state, now, rules)
    if state.escalate_at is not None and state.escalate_at <= now:
        due.append(Decision(EventKind.ESCALATION, state.down_since, now))
        state = replace(state, escalate_at=None)
    if state.remind_at is not None and rules.remind_every and state.remind_at <= now:
        number = state.reminders + 1
        if state.flapping:
            due.append(Decision(EventKind.FLAPPING, count=_changes(state.recent_results)))
        else:
            due.append(Decision(EventKind.REMINDER, state.down_since, now, number))
        state = replace(state, reminders=number, remind_at=now + _gap(rules.remind_every, number))
    return state


def _gap(first: timedelta, reminders: int) -> timedelta:
    """Returns how long after so many reminders the next one comes."""
    longest = max(first, LONGEST_REMINDER_GAP)
    gap = first
    for _ in range(reminders):
        if gap >= longest:
            break
        gap = min(2 * gap, longest)
    return gap


def _clock_went_back(state: State, now: datetime, rules: Rules) -> State:
    """Corrects times that are later than they could ever be: the clock has been put back since."""
    if state.remind_at is not None and rules.remind_every:
        latest = now + _gap(rules.remind_every, state.reminders)
        state = replace(state, remind_at=min(state.remind_at, latest))
    if state.escalate_at is not None and rules.escalate_after is not None:
        latest = now + rules.escalate_after
        state = replace(state, escalate_at=min(state.escalate_at, latest))
    return state
