"""The report of a drill: `disaster-recovery-drill-YYYYMMDD.md`."""

from __future__ import annotations

import itertools
import os
from datetime import datetime, timedelta
from pathlib import Path

from healthkit.fields import format_duration, format_size
from healthkit.masking import mask
from posapp import JAKARTA
from posapp.backup.drill import DrillResult
from posapp.backup.model.backup import format_local

TARGET = timedelta(minutes=30)
"""The runbook's target for a test restore; the report names a slower one."""


def file_name(moment: datetime) -> str:
    return f"disaster-recovery-drill-{moment.astimezone(JAKARTA):%Y%m%d}.md"


def keep_earlier(path: Path) -> None:
    """Puts a report of the same day, as the one of an earlier drill, under a name with a number
    behind it: `….1.md` is the first. Raises OSError."""
    if os.path.lexists(path):
        names = (path.with_suffix(f".{number}{path.suffix}") for number in itertools.count(1))
        path.rename(next(name for name in names if not os.path.lexists(name)))


def report(result: DrillResult) -> str:
    """Returns the runbook's report, every heading filled in from measurement."""
    backup, status = result.backup, "SUCCESS" if result.succeeded else "ISSUES"
    day = result.began.astimezone(JAKARTA)
    steps = "\n".join(f"| {step} | {took:.1f} s |" for step, took in result.seconds.items())
    return mask(f"""# Disaster Recovery Drill - {day:%Y-%m-%d}

## Summary
- Backup Used: {backup.location}
- Backup Made: {format_local(backup.at)}, {format_size(backup.size)}
- Recovery Time: {format_duration(result.took)} ({sum(result.seconds.values()):.1f} s)
- Data Loss: {result.data_loss}
- Status: {status}

## Measured
| Step | Time |
| --- | ---: |
{steps}

- Rows restored and compared with the manifest: {result.rows} in {result.tables} tables
- Foreign keys validated: {result.foreign_keys}
- Left unproven: {result.unproven or "nothing; the live server has the same version"}
- Health of the POS on the restored database: {result.health or "not reached"}

## Issues Found
{result.issue or "None."}

## Recommendations
{_recommendations(result)}

## Next Drill
Scheduled for: {_next(day):%Y-%m-%d}
""")


def _recommendations(result: DrillResult) -> str:
    advice = []
    if result.issue:
        advice.append(
            "Until this is fixed, rely on the backup before: `posapp backup list`, and drill it"
            " with `posapp drill FILE`."
        )
    if result.took > TARGET:
        advice.append(f"Recovery takes longer than {format_duration(TARGET)}: find out which step.")
    if not result.backup.in_s3:
        advice.append("Drill a copy from S3 too: `posapp drill s3://BUCKET`.")
    return "\n".join(f"- {one}" for one in advice) or "None."


def _next(day: datetime) -> datetime:
    """Returns the first of the next month, when the schedule has its monthly drill."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
