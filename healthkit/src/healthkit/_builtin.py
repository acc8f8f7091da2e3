"""The core's own plugin: the checks `heartbeat`, `pushed` and `alerting`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, SecretStr, field_validator, model_validator

from healthkit._check import Check, CheckContext
from healthkit._hookspecs import hookimpl
from healthkit._model.alerts import OutboxStatus
from healthkit._model.checks import Outcome, Status
from healthkit._model.signals import Run
from healthkit._schedules import check_cron, next_due
from healthkit.fields import (
    Duration,
    PositiveDuration,
    TimeZoneName,
    format_duration,
    secret_weakness,
)


class _Awaited(Check):
    """The base of checks that wait for what others send in, under a token."""

    grace: Duration = timedelta(0)
    """How late it may be before it is unhealthy; meanwhile it is degraded."""
    token: SecretStr | None = None
    """What is in the address that it is sent to; at least 128 bits: `openssl rand -hex 16`."""
    previous_token: SecretStr | None = None
    """Goes on working while senders change to `token`."""

    @field_validator("token", "previous_token")
    @classmethod
    def _hard_to_guess(cls, token: SecretStr | None) -> SecretStr | None:
        weakness = secret_weakness(token.get_secret_value()) if token else None
        if weakness is not None:
            raise ValueError(f"{weakness}; make one with: openssl rand -hex 16")
        return token

    def tokens(self) -> tuple[str, ...]:
        """Returns those under which it takes what is sent in."""
        given = (self.token, self.previous_token)
        return tuple(token.get_secret_value() for token in given if token is not None)


class Heartbeat(_Awaited):
    """Waits for a job: `healthkit run NAME -- COMMAND`, `healthkit beat NAME`, or requests to
    `/health/beat/TOKEN` (`/start`, `/fail`, `/log`, `/EXIT_CODE`).

    It is due `every` so often, or by `cron` in `timezone`; `grace` later it is unhealthy, and at
    once when the job fails or runs for more than `max_runtime`. A job that has never run has one
    whole period from when it was first expected.
    """

    every: PositiveDuration | None = None
    """The time from one run to the next; or `cron`."""
    cron: Annotated[str, AfterValidator(check_cron)] | None = None
    """When it is due: minute, hour, day, month, weekday; or `every`."""
    timezone: TimeZoneName = "UTC"
    """The zone of `cron`."""
    max_runtime: PositiveDuration | None = None
    """The longest that a run may take, from its `/start` on."""

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if (self.every is None) is (self.cron is None):
            raise ValueError("say either every or cron")
        return self

    def run(self, context: CheckContext) -> Outcome:
        if context.heartbeats is None:
            return Outcome.unhealthy("there is no store to read heartbeats from")
        last = context.heartbeats.last_beat(context.name)
        since = last or context.heartbeats.waiting_since(context.name, context.now)
        due = next_due(_as_old(since, context.now), self.every, self.cron, self.timezone)
        timing = evaluate_lateness(last, due, context.now, self.grace)
        found = context.heartbeats.last_run(context.name) or Run()
        return evaluate_run(found, context.now, self.max_runtime, timing)


def evaluate_heartbeat(
    last: datetime | None, since: datetime, now: datetime, every: timedelta, grace: timedelta
) -> Outcome:
    """Returns whether a heartbeat that is due every so often is in time."""
    return evaluate_lateness(last, _as_old(since, now) + every, now, grace)


def _as_old(since: datetime, now: datetime) -> datetime:
    """One from the future is as old as it is ahead: a clock that jumped must not make it count for
    longer than it was meant to."""
    return now - abs(now - since)


def evaluate_lateness(
    last: datetime | None, due: datetime | None, now: datetime, grace: timedelta
) -> Outcome:
    """Returns whether what was due is in time, within its grace, or late; `last` is None where
    nothing has come yet."""
    details = {"last_beat": last} if last else {}
    if due is None or now <= due:
        return Outcome.healthy(None if last else "waiting for the first heartbeat", **details)
    late = format_duration(now - due)
    what = f"late by {late}" if last else f"no heartbeat yet, late by {late}"
    if now <= due + grace:
        return Outcome.degraded(f"{what}, within its grace", **details)
    return Outcome.unhealthy(what, **details)


def evaluate_run(
    run: Run, now: datetime, max_runtime: timedelta | None, timing: Outcome
) -> Outcome:
    """Returns how a job does: it has run for too long, or its last run failed, or its `timing`."""
    details = {**timing.details, **_run_details(run)}
    running = None if run.started_at is None else abs(now - run.started_at)
    if running is not None and max_runtime is not None and running > max_runtime:
        limit, so_far = format_duration(max_runtime), format_duration(running)
        return Outcome.unhealthy(f"runs for {so_far}, at most {limit} are allowed", **details)
    if run.status is Status.UNHEALTHY:
        code = "" if run.code is None else f" with exit code {run.code}"
        took = "" if run.seconds is None else f" after {run.seconds:.1f}s"
        last = (run.text or "").splitlines()[-1:]
        said = f": {last[0]}" if last else ""
        return Outcome.unhealthy(f"its last run failed{code}{took}{said}", **details)
    return Outcome(timing.status, timing.message, details)


def _run_details(run: Run) -> dict[str, Any]:
    found = {
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "exit_code": run.code,
        "seconds": run.seconds,
        "output": run.text or None,
    }
    return {key: value for key, value in found.items() if value is not None}


class Pushed(_Awaited):
    """Takes results that an agent sends to `/health/report/TOKEN`, `every` so often at least."""

    every: PositiveDuration
    """The longest time between two results."""

    def run(self, context: CheckContext) -> Outcome:
        if context.heartbeats is None:
            return Outcome.unhealthy("there is no store to read results from")
        last = context.heartbeats.last_beat(context.name)
        since = last or context.heartbeats.waiting_since(context.name, context.now)
        timing = evaluate_heartbeat(last, since, context.now, self.every, self.grace)
        found = context.heartbeats.last_run(context.name)
        if found is None or found.status is None or timing.status is not Status.HEALTHY:
            return timing
        details = {**found.numbers, "last_beat": last}
        return Outcome(found.status, found.text or _unsaid(found.status), details)


def _unsaid(status: Status) -> str | None:
    return None if status is Status.HEALTHY else f"reported as {status.value}"


class Alerting(Check):
    """Alerts reach people: a watcher leads, no channel fails, nothing waits for long.

    From any process that shares the watcher's store.
    """

    late_after: PositiveDuration = timedelta(minutes=5)
    """The age of the oldest message in the outbox from which it is a fault."""

    def run(self, context: CheckContext) -> Outcome:
        if context.outbox is None:
            return Outcome.unhealthy("there is no store that a watcher could share")
        status = context.outbox.outbox_status(context.now)
        return evaluate_outbox(status, context.now, self.late_after)


def evaluate_outbox(outbox: OutboxStatus, now: datetime, late_after: timedelta) -> Outcome:
    """Returns whether a fault would reach people. Dead letters degrade until they are resent."""
    faults = []
    if outbox.watcher is None:
        faults.append("no watcher runs: healthkit watch")
    faults += [f"channel {name} fails: {error}" for name, error in outbox.failing.items()]
    faults += outbox.faults.grave
    age = now - outbox.oldest_due if outbox.oldest_due else timedelta(0)
    if age > late_after:
        faults.append(f"the oldest message has waited for {format_duration(age)}")
    details: dict[str, Any] = {
        "watcher": outbox.watcher,
        "waiting": outbox.waiting,
        "given_up": outbox.dead,
    }
    if faults:
        return Outcome.unhealthy("; ".join(faults), **details)
    warnings = [*outbox.faults.unreachable]
    if outbox.dead:
        warnings.insert(0, f"{outbox.dead} messages were given up: healthkit alert retry")
    if warnings:
        return Outcome.degraded("; ".join(warnings), **details)
    return Outcome.healthy(**details)


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"heartbeat": Heartbeat, "pushed": Pushed, "alerting": Alerting}
