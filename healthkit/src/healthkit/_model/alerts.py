"""The values of alerts: states, events, incidents, silences, deliveries and channels.

Events and states are stored as JSON. A field that has a `Field(alias=…)` is stored under that name,
which the version before reads too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Annotated, Literal

from pydantic import Field

from healthkit._model.checks import CheckInfo, Outcome, Status


class EventKind(StrEnum):
    """The kinds of events."""

    DOWN = "down"
    DEGRADED = "degraded"
    UP = "up"
    RESTORED = "restored"
    """A degraded check is healthy again."""
    REMINDER = "reminder"
    ESCALATION = "escalation"
    FLAPPING = "flapping"
    STEADY = "steady"
    """The end of flapping."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a check that is worth a notification, with what its message needs.

    `since` and `until` are when the fault began and ended (or now, while it lasts); `inhibits`
    names the checks whose own messages this one stands for, because they depend on it.
    """

    kind: EventKind
    check: CheckInfo
    at: datetime
    outcome: Outcome
    since: datetime | None = None
    until: datetime | None = None
    incident: int | None = None
    inhibits: Annotated[tuple[str, ...], Field(alias="hides")] = ()
    count: int = 0
    """The number of the reminder, or the changes that made the check flap."""

    @property
    def lasted(self) -> timedelta:
        """The duration of the fault until its end, or until now."""
        until = self.until or self.at
        return max(timedelta(0), until - self.since) if self.since else timedelta(0)


@dataclass(frozen=True, slots=True)
class LinkAct:
    """An act by the link in a message: `what` was done to which incident, in whose name, when.

    Nobody signs in to follow a link: `by` names the channel that it stood in. `until` is the end of
    a silence.
    """

    what: Literal["acknowledged", "silenced"]
    incident: int
    check: str
    by: str
    at: datetime
    until: datetime | None = None


# The policy's view of a check


class Level(IntEnum):
    """The gravity of a fault."""

    HEALTHY = 0
    DEGRADED = 1
    DOWN = 2

    @classmethod
    def of(cls, status: Status) -> Level:
        if status is Status.HEALTHY:
            return cls.HEALTHY
        return cls.DEGRADED if status is Status.DEGRADED else cls.DOWN


@dataclass(frozen=True, slots=True)
class Streak:
    """Results in a row that are at or above a level, or below it."""

    reached: bool
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class State:
    """The state of one check, and of what people have been notified."""

    level: Level = Level.HEALTHY
    """The level that the thresholds have confirmed."""
    notified: Annotated[Level, Field(alias="told")] = Level.HEALTHY
    degraded: Streak | None = None
    down: Streak | None = None
    since: datetime | None = None
    """The first bad result of the present incident: it left healthy."""
    down_since: datetime | None = None
    """The first failing result of the outage that people were notified of, or will be."""
    until: datetime | None = None
    """The first healthy result after the last incident."""
    down_until: datetime | None = None
    """The first result after the last outage that was no failure."""
    recent_results: Annotated[str, Field(alias="recent")] = ""
    """The last results, oldest first: 1 for a bad one."""
    flapping: bool = False
    notified_flapping: Annotated[bool, Field(alias="told_flapping")] = False
    hold_results: Annotated[int, Field(alias="hold")] = 0
    """Results still to be seen before a fault counts that was inhibited by a dependency."""
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
    """A notification that is due. `since` to `until` is how long the fault lasted."""

    kind: EventKind
    since: datetime | None = None
    until: datetime | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Incident:
    """A check that was not healthy for a while; `level` is the worst that it came to."""

    id: int
    check: str
    label: str
    severity: str
    level: Level
    error: str
    began_at: datetime
    ended_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Faults muted by a person. Empty `checks` and `tags` mean every check."""

    id: int
    until: datetime
    reason: str = ""
    checks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    by: str = ""


# The outbox and its channels


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one channel: at `due`, by itself or in a digest."""

    channel: str
    due: datetime
    digest: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """The deliveries that one message covers: `total`, of which the first `events` are named.

    A `single` event has a message of its own; others share a digest, `storm` when they were not
    meant to.
    """

    id: int
    channel: str
    events: tuple[Event, ...]
    total: int
    attempts: int
    digest: bool = False
    storm: bool = False
    origins: tuple[str, ...] = ()
    """The channels that this one is the fallback of."""

    @property
    def single(self) -> bool:
        return self.total == 1 and not self.digest


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that was given up."""

    id: int
    channel: str
    event: Event
    error: str
    attempts: int
    changed_at: datetime


OPEN_AFTER = 3
"""Failures in a row that open a channel's circuit breaker: one lost message may be chance."""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """The circuit breaker of a channel: failures in a row, since when, and the next try."""

    name: str
    failures: int = 0
    failing_since: datetime | None = None
    retry_at: datetime | None = None
    error: str = ""
    last_sent_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the channel counts as failing."""
        return self.failures >= OPEN_AFTER


@dataclass(frozen=True, slots=True)
class WatcherFaults:
    """The faults that a watcher finds in itself, each a line for people."""

    grave: tuple[str, ...] = ()
    """Why people cannot be told of something right now."""
    unreachable: tuple[str, ...] = ()
    """Checks whose faults reach nobody as they are configured."""


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """The state of sending: who leads, what is late, and which channels fail."""

    watcher: str | None = None
    """The process that leads; None when no watcher sends alerts."""
    oldest_due: datetime | None = None
    waiting: int = 0
    """Messages that are due or under way."""
    dead: int = 0
    """Messages that were given up."""
    failing: Mapping[str, str] = field(default_factory=dict)
    """Channels whose circuit breaker is open, each with its last error."""
    faults: WatcherFaults = WatcherFaults()
