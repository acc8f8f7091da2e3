"""The base of checks: a small frozen model of its own settings, and one method.

    class Freezer(Check):
        sensor: str
        warmest: float = -18.0

        def run(self, context: CheckContext) -> Outcome:
            celsius = read(self.sensor, timeout=context.timeout)
            if celsius > self.warmest:
                return Outcome.unhealthy(f"{celsius} °C", celsius=celsius)
            return Outcome.healthy(celsius=celsius)

The keys that every check has (interval, timeout, severity …) are the core's; whatever else stands
in `[checks.NAME]` of healthkit.toml is validated by the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from healthkit._model.alerts import OutboxStatus
    from healthkit._model.checks import Outcome
    from healthkit._model.signals import Run


class HeartbeatReader(Protocol):
    """The time of the last heartbeat, of when it was first expected, and how its job went."""

    def last_beat(self, name: str) -> datetime | None: ...
    def waiting_since(self, name: str, now: datetime) -> datetime: ...
    def last_run(self, name: str) -> Run | None: ...


class OutboxReader(Protocol):
    """The state of the outbox, of its channels and of the watcher."""

    def outbox_status(self, now: datetime) -> OutboxStatus: ...


@dataclass(frozen=True, slots=True)
class CheckContext:
    """The input of a run: the check's name, the time (UTC), and the seconds that it has."""

    name: str
    now: datetime
    timeout: float
    heartbeats: HeartbeatReader | None = None
    outbox: OutboxReader | None = None


class Check(BaseModel):
    """The base of check types. Runs on a native thread, never twice at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    public_details: ClassVar[tuple[str, ...]] = ()
    """Names of details that strangers see too, where they are numbers."""
    counts_events: ClassVar[bool] = False
    """Whether its details have `good` and `events`, whole numbers of what has happened since its
    last run (requests that were in time, and all): what `[slo.NAME]` then measures."""

    def run(self, context: CheckContext) -> Outcome:
        """Returns the outcome. An exception counts as unhealthy; its text is shown, masked."""
        raise NotImplementedError

    def target(self) -> str | None:
        """Returns what is checked, for people: an address or a path without secrets."""
        return None

    def close(self) -> None:
        """Lets go of what runs kept open; called when the runner stops."""
