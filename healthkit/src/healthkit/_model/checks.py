"""The values of checks and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self


class Status(StrEnum):
    """The status of a check, or of the whole service; from best to worst."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    """Not checked yet."""
    UNHEALTHY = "unhealthy"


class Severity(StrEnum):
    """The weight of a fault: it chooses the route that an alert takes."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Role(StrEnum):
    """The effect of a failing check on the whole: `required` fails it, `advisory` degrades it."""

    REQUIRED = "required"
    ADVISORY = "advisory"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one run of a check.

    `message` is one line for people, without secrets; `details` is JSON-able and stands in the
    check's entry of the report as it is.
    """

    status: Status
    message: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def healthy(cls, message: str | None = None, **details: Any) -> Self:
        return cls(Status.HEALTHY, message, details)

    @classmethod
    def degraded(cls, message: str, **details: Any) -> Self:
        return cls(Status.DEGRADED, message, details)

    @classmethod
    def unhealthy(cls, message: str, **details: Any) -> Self:
        return cls(Status.UNHEALTHY, message, details)


@dataclass(frozen=True, slots=True)
class CheckInfo:
    """The settings of a check, as far as reports and alerts need them."""

    name: str
    label: str
    severity: Severity = Severity.HIGH
    role: Role = Role.REQUIRED
    interval: timedelta = timedelta(seconds=30)
    timeout: timedelta = timedelta(seconds=5)
    fail_after: int = 3
    recover_after: int = 2
    depends_on: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    runbook: str | None = None
    target: str | None = None
    """The thing that is checked, as people know it (an address, a path), without secrets."""


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome with its circumstances: when (UTC), and for how long in seconds.

    `duration` is None where the check never ended: it overran its timeout, or has not run yet.
    """

    check: CheckInfo
    outcome: Outcome
    at: datetime
    duration: float | None = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """Whose report this is."""

    name: str
    version: str = "0.0.0"
    environment: str = "development"
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Report:
    """All checks at one moment."""

    service: Service
    at: datetime
    uptime: timedelta
    results: tuple[Result, ...] = field(default=())
    stale: bool = False
    """Whether nobody has renewed it in time: whatever it says may be over, and nobody looks."""

    @property
    def status(self) -> Status:
        return Status.UNHEALTHY if self.stale else overall_status(self.results)

    def result(self, name: str) -> Result:
        """The result of one check. Raises KeyError for a name that is not there."""
        for result in self.results:
            if result.check.name == name:
                return result
        raise KeyError(name)


def overall_status(results: tuple[Result, ...]) -> Status:
    """The status of the whole: a required check that fails (or has not run) fails it, anything
    else that is not healthy degrades it."""
    worst = Status.HEALTHY
    for result in results:
        status = result.outcome.status
        if status is Status.HEALTHY:
            continue
        required = result.check.role is Role.REQUIRED
        if required and status in (Status.UNHEALTHY, Status.UNKNOWN):
            return Status.UNHEALTHY
        if status is not Status.UNKNOWN:
            worst = Status.DEGRADED
    return worst
