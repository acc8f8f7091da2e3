"""What a drill has found, for people: `disaster-recovery-drill-YYYYMMDD.md`."""

from __future__ import annotations

from datetime import datetime, timedelta

from healthkit.fields import format_duration, format_size
from posapp.backup.drill import Findings
from posapp.backup.model.backup import ZONE, clock_time

TARGET = timedelta(minutes=30)
"""The runbook's own measure of a test restore; a slower one is told as such."""


def file_name(moment: datetime) -> str:
    return f"disaster-recovery-drill-{moment.astimezone(ZONE):%Y%m%d}.md"


def report(found: Findings) -> str:
    """The runbook's report, with every heading filled in from measurement."""
    entry, status = found.entry, "SUCCESS" if found.succeeded else "ISSUES"
    day = found.began.astimezone(ZONE)
    steps = "\n".join(f"| {step} | {took:.1f} s |" for step, took in found.seconds.items())
    return f"""# Disaster Recovery Drill - {day:%Y-%m-%d}

## Summary
- Backup Used: {entry.where}
- Backup Made: {clock_time(entry.name.at)}, {format_size(entry.size)}
- Recovery Time: {format_duration(found.took)} ({sum(found.seconds.values()):.1f} s)
- Data Loss: {found.lost}
- Status: {status}

## Measured
| Step | Time |
| --- | ---: |
{steps}

- Rows restored and compared with the manifest: {found.rows} in {found.tables} tables
- Foreign keys validated: {found.foreign_keys}
- Health of the POS on the restored database: {found.health or "not reached"}

## Issues Found
{found.issue or "None."}

## Recommendations
{_recommendations(found)}

## Next Drill
Scheduled for: {_next(day):%Y-%m-%d}
"""


def _recommendations(found: Findings) -> str:
    advice = []
    if found.issue:
        advice.append(
            "Until this is mended, count on the backup before: `posapp backup list`, and drill it"
            " with `posapp drill FILE`."
        )
    if found.took > TARGET:
        advice.append(f"Recovery takes longer than {format_duration(TARGET)}: find out which step.")
    if not found.entry.where.startswith("s3://"):
        advice.append("Drill a copy from S3 too: `posapp drill s3://BUCKET`.")
    return "\n".join(f"- {one}" for one in advice) or "None."


def _next(day: datetime) -> datetime:
    """The first of the next month, when the schedule has its monthly drill."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
