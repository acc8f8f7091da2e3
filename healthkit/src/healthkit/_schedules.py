"""When a job is due: every so often, or by a cron expression in a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def next_due(
    since: datetime, every: timedelta | None, cron: str | None, timezone: str
) -> datetime | None:
    """Returns when the next beat is due after one at `since`, in UTC; None where an expression has
    no time any more. One of `every` and `cron` is given."""
    if every is not None:
        return since + every
    from cronsim import CronSim

    assert cron is not None
    due: datetime | None = next(CronSim(cron, since.astimezone(ZoneInfo(timezone))), None)
    return None if due is None else due.astimezone(UTC)


def check_cron(expression: str) -> str:
    """Returns an expression of five fields that has a next time. Raises ValueError."""
    from cronsim import CronSim, CronSimError

    hint = 'write it like "30 2 * * mon-fri": minute, hour, day, month, day of the week'
    if len(expression) > 200 or len(expression.split()) != 5:
        raise ValueError(f"not a cron expression of five fields; {hint}")
    try:
        if next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)), None) is None:
            raise ValueError("has no time within fifty years")
    except (CronSimError, AssertionError) as error:
        raise ValueError(f"{str(error) or 'not a cron expression'}; {hint}") from None
    return expression
