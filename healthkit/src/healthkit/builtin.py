"""What the core offers through its own hooks: the heartbeat."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import SecretStr

from healthkit.check import Check, CheckContext
from healthkit.hookspecs import hookimpl
from healthkit.model import Outcome
from healthkit.units import Duration, PositiveDuration, format_duration


class Heartbeat(Check):
    """Waits for `healthkit beat NAME`, or a POST to `/health/beat/TOKEN`, every so often.

    A job that has never run is given one whole period from when it was first waited for.
    """

    every: PositiveDuration
    grace: Duration = timedelta(0)
    token: SecretStr | None = None

    def run(self, context: CheckContext) -> Outcome:
        if context.heartbeats is None:
            return Outcome.unhealthy("there is no store to hear heartbeats from")
        last = context.heartbeats.last_beat(context.name)
        since = last or context.heartbeats.waiting_since(context.name, context.now)
        return judge(last, since, context.now, self.every, self.grace)


def judge(
    last: datetime | None, since: datetime, now: datetime, every: timedelta, grace: timedelta
) -> Outcome:
    """Whether a heartbeat is in time. One from the future (a clock that jumped) counts as now."""
    age = max(timedelta(0), now - since)
    details = {"last_beat": last} if last else {}
    if age <= every:
        return Outcome.healthy(None if last else "waiting for the first heartbeat", **details)
    late = format_duration(age - every)
    what = f"late by {late}" if last else f"no heartbeat yet, late by {late}"
    if age <= every + grace:
        return Outcome.degraded(f"{what}, within its grace", **details)
    return Outcome.unhealthy(what, **details)


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"heartbeat": Heartbeat}
