"""When a change is worth a human's attention: pure functions of a state and the time.

`observe` takes one result into the state; `decide` compares what is so with what people have been
told, and says what they are owed. Between the two stands the caller, who knows what is muted
(a silence, maintenance, a dependency that explains the fault). A muted check is not told of; when
the mute ends and the fault is still there, it is told then. An end is always told to those who
were told of the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import pairwise

from healthkit._model.checks import EventKind, Status

LONGEST_REMINDER_GAP = timedelta(hours=24)
"""Gaps double up to this, or to `remind_every` where that is longer."""


class Level(IntEnum):
    """How bad it is."""

    HEALTHY = 0
    DEGRADED = 1
    DOWN = 2

    @classmethod
    def of(cls, status: Status) -> Level:
        if status is Status.HEALTHY:
            return cls.HEALTHY
        return cls.DEGRADED if status is Status.DEGRADED else cls.DOWN


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of one check and its route, as far as the policy needs them."""

    fail_after: int = 3
    recover_after: int = 2
    remind_every: timedelta | None = None
    escalate_after: timedelta | None = None
    flap_window: int = 20
    """Results that flapping is judged by; 0 switches it off."""
    flap_start: float = 0.5
    """Share of changes in the window at which a check counts as flapping."""
    flap_end: float = 0.25


@dataclass(frozen=True, slots=True)
class Streak:
    """Results in a row that are at or above a level, or below it."""

    reached: bool
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one check, and what people have been told of it."""

    level: Level = Level.HEALTHY
    """What the thresholds have confirmed."""
    told: Level = Level.HEALTHY
    degraded: Streak | None = None
    down: Streak | None = None
    since: datetime | None = None
    """The first bad result of the present incident: it left healthy."""
    down_since: datetime | None = None
    """The first failing result of the outage that people were told of, or will be."""
    until: datetime | None = None
    """The first healthy result after the last incident."""
    down_until: datetime | None = None
    """The first result after the last outage that was no failure."""
    recent: str = ""
    """The last results, oldest first: 1 for a bad one."""
    flapping: bool = False
    told_flapping: bool = False
    hold: int = 0
    """Results still to be seen before a fault counts that a dependency used to explain."""
    acknowledged: bool = False
    reminders: int = 0
    remind_at: datetime | None = None
    escalate_at: datetime | None = None

    @property
    def failing(self) -> bool:
        """Whether the last result was a failure, confirmed or not."""
        return self.down is not None and self.down.reached


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that people are owed. `since` to `until` is how long the fault lasted."""

    kind: EventKind
    since: datetime | None = None
    until: datetime | None = None
    count: int = 0


def observe(state: State, status: Status, at: datetime, rules: Rules) -> State:
    """The state after one more result."""
    seen = Level.of(status)
    state = replace(
        state,
        degraded=_extend(state.degraded, seen >= Level.DEGRADED, at),
        down=_extend(state.down, seen >= Level.DOWN, at),
        hold=max(0, state.hold - 1),
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
        since = since if state.told > Level.HEALTHY else state.degraded.since
    if level is Level.DOWN and state.level < Level.DOWN and state.down:
        down_since = down_since if state.told is Level.DOWN else state.down.since
    return replace(
        state, level=level, since=since, down_since=down_since, acknowledged=acknowledged
    )


def _ended(state: State, level: Level) -> State:
    """Notes when an outage or an incident ended: it may be told only after flapping."""
    if level < Level.DOWN <= state.level and state.down:
        state = replace(state, down_until=state.down.since)
    if level < Level.DEGRADED <= state.level and state.degraded:
        state = replace(state, until=state.degraded.since)
    return state


def _holds(streak: Streak | None, reached: bool, count: int) -> bool:
    return streak is not None and streak.reached is reached and streak.count >= count


def _flap(state: State, seen: Level, rules: Rules) -> State:
    if rules.flap_window < 2:
        return replace(state, recent="", flapping=False)
    recent = (state.recent + ("1" if seen else "0"))[-rules.flap_window :]
    changes = _changes(recent)
    share = changes / (rules.flap_window - 1)
    flapping = share > rules.flap_end if state.flapping else share >= rules.flap_start
    return replace(state, recent=recent, flapping=flapping)


def _changes(recent: str) -> int:
    return sum(a != b for a, b in pairwise(recent))


def decide(
    state: State, now: datetime, rules: Rules, *, muted: bool = False, explained: bool = False
) -> tuple[State, tuple[Decision, ...]]:
    """What people are owed now, and the state once they have been told.

    `muted`: new faults are not told of. `explained`: a dependency is down, which mutes as well, and
    afterwards asks for a whole new row of failures, for the check may need a moment to come back.
    """
    if explained:
        state = replace(state, hold=rules.fail_after)
    told: list[Decision] = []
    state = _tell_flapping(state, muted or explained, told)
    if state.flapping:
        return state, tuple(told)
    state = _tell_end(state, told)
    if not (muted or explained or state.hold):
        state = _tell_beginning(state, now, rules, told)
        state = _tell_on(state, now, rules, told)
    return state, tuple(told)


def acknowledge(state: State) -> State:
    """Somebody is on it: no more reminders of this incident, and no escalation."""
    return replace(state, acknowledged=True)


def _tell_flapping(state: State, muted: bool, told: list[Decision]) -> State:
    if state.flapping and not state.told_flapping and not muted:
        changes = _changes(state.recent)
        told.append(Decision(EventKind.FLAPPING, count=changes))
        return replace(state, told_flapping=True)
    if not state.flapping and state.told_flapping:
        told.append(Decision(EventKind.STEADY))
        return replace(state, told_flapping=False)
    return state


def _tell_end(state: State, told: list[Decision]) -> State:
    if state.level >= state.told:
        return state
    if state.told is Level.DOWN:
        told.append(Decision(EventKind.UP, state.down_since, state.down_until))
    else:
        told.append(Decision(EventKind.RESTORED, state.since, state.until))
    return replace(
        state,
        told=state.level,
        down_since=None,
        acknowledged=state.acknowledged and state.level > Level.HEALTHY,
        reminders=0,
        remind_at=None,
        escalate_at=None,
    )


def _tell_beginning(state: State, now: datetime, rules: Rules, told: list[Decision]) -> State:
    if state.level <= state.told:
        return state
    if state.level is Level.DEGRADED:
        told.append(Decision(EventKind.DEGRADED, state.since, now))
        return replace(state, told=state.level)
    told.append(Decision(EventKind.DOWN, state.down_since, now))
    return replace(
        state,
        told=state.level,
        remind_at=now + rules.remind_every if rules.remind_every else None,
        escalate_at=now + rules.escalate_after if rules.escalate_after is not None else None,
    )


def _tell_on(state: State, now: datetime, rules: Rules, told: list[Decision]) -> State:
    """Reminders, each after twice the gap of the one before, and one escalation."""
    if state.told is not Level.DOWN or state.acknowledged:
        return state
    state = _clock_went_back(state, now, rules)
    if state.escalate_at is not None and state.escalate_at <= now:
        told.append(Decision(EventKind.ESCALATION, state.down_since, now))
        state = replace(state, escalate_at=None)
    if state.remind_at is not None and rules.remind_every and state.remind_at <= now:
        number = state.reminders + 1
        told.append(Decision(EventKind.REMINDER, state.down_since, now, number))
        state = replace(state, reminders=number, remind_at=now + _gap(rules.remind_every, number))
    return state


def _gap(first: timedelta, reminders: int) -> timedelta:
    """How long after so many reminders the next one comes."""
    longest = max(first, LONGEST_REMINDER_GAP)
    return min(first * (1 << min(reminders, 16)), longest)


def _clock_went_back(state: State, now: datetime, rules: Rules) -> State:
    """What is due later than it could ever be was set by a clock that has been put back since."""
    if state.remind_at is not None and rules.remind_every:
        latest = now + _gap(rules.remind_every, state.reminders)
        state = replace(state, remind_at=min(state.remind_at, latest))
    if state.escalate_at is not None and rules.escalate_after is not None:
        latest = now + rules.escalate_after
        state = replace(state, escalate_at=min(state.escalate_at, latest))
    return state
