"""The core's own plugin: the checks `heartbeat` and `alerting`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr, field_validator

from healthkit._check import Check, CheckContext
from healthkit._hookspecs import hookimpl
from healthkit._model.alerts import OutboxStatus
from healthkit._model.checks import Outcome
from healthkit.fields import Duration, PositiveDuration, format_duration, secret_weakness


class Heartbeat(Check):
    """Waits for `healthkit beat NAME`, or a POST to `/health/beat/TOKEN`, every so often.

    A job that has never run has one whole period from when it was first expected.
    """

    every: PositiveDuration
    grace: Duration = timedelta(0)
    token: SecretStr | None = None

    @field_validator("token")
    @classmethod
    def _hard_to_guess(cls, token: SecretStr | None) -> SecretStr | None:
        weakness = secret_weakness(token.get_secret_value()) if token else None
        if weakness is not None:
            raise ValueError(f"{weakness}; make one with: openssl rand -hex 16")
        return token

    def run(self, context: CheckContext) -> Outcome:
        if context.heartbeats is None:
            return Outcome.unhealthy("there is no store to read heartbeats from")
        last = context.heartbeats.last_beat(context.name)
        since = last or context.heartbeats.waiting_since(context.name, context.now)
        return evaluate_heartbeat(last, since, context.now, self.every, self.grace)


def evaluate_heartbeat(
    last: datetime | None, since: datetime, now: datetime, every: timedelta, grace: timedelta
) -> Outcome:
    """Returns whether a heartbeat is in time. One from the future is as old as it is ahead: a clock
    that jumped must not make it count for longer than it was meant to."""
    age = abs(now - since)
    details = {"last_beat": last} if last else {}
    if age <= every:
        return Outcome.healthy(None if last else "waiting for the first heartbeat", **details)
    late = format_duration(age - every)
    what = f"late by {late}" if last else f"no heartbeat yet, late by {late}"
    if age <= every + grace:
        return Outcome.degraded(f"{what}, within its grace", **details)
    return Outcome.unhealthy(what, **details)


class Alerting(Check):
    """Alerts reach people: a watcher leads, no channel fails, nothing waits for long.

    From any process that shares the watcher's store.
    """

    late_after: PositiveDuration = timedelta(minutes=5)

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
    return {"heartbeat": Heartbeat, "alerting": Alerting}
