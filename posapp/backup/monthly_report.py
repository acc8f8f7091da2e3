"""The monthly report: each promised restore point, when it was last proven, where and how fast."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from typing import Any

from healthkit.cli import format_table
from healthkit.fields import format_duration
from healthkit.masking import mask
from posapp.backup.errors import Refused
from posapp.backup.model.backup import format_local
from posapp.backup.model.restore_points import RestorePoint

_HEAD = ("KIND", "DUE", "STATUS", "LAST PROVEN", "ON", "TOOK", "WHERE")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;"
    "color:#1c1917;background:#fff}h1{font-size:1.5rem;line-height:1.3;overflow-wrap:anywhere}"
    ".table{overflow-x:auto}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d6d3d1;white-space:nowrap}"
    ".missing{font-weight:700;color:#991b1b}@media(max-width:40rem){body{margin:1rem auto;"
    "font-size:14px}th,td{padding:.3rem .4rem}}@media print{.table{overflow:visible}}"
)


@dataclass(frozen=True)
class MonthlyReport:
    """The restore points of a month, of one restaurant, as they were at a moment."""

    month: date
    restaurant: str
    at: datetime
    points: list[RestorePoint]

    @property
    def missing(self) -> int:
        """The number of points that were promised and are not there."""
        return sum(point.status == "missing" for point in self.points)

    @property
    def summary(self) -> str:
        """Returns how many there are of each status, in one line."""
        counts = Counter(point.status for point in self.points)
        return ", ".join(f"{counts[one]} {one}" for one in sorted(counts)) or "none was due"

    def as_json(self) -> str:
        """Returns it as JSON; times are ISO 8601 in UTC, durations in seconds."""
        facts = {
            "month": f"{self.month:%Y-%m}",
            "restaurant": self.restaurant,
            "at": self.at.isoformat(),
            "missing": self.missing,
            "points": [_facts(point) for point in self.points],
        }
        return mask(json.dumps(facts, indent=2))

    def as_text(self) -> str:
        """Returns it as a table for people."""
        return mask(f"{self._title}\n{self.summary}\n\n{format_table([_HEAD, *self._rows])}")

    def as_html(self) -> str:
        """Returns it as a page that needs nothing else."""
        head = "".join(f"<th scope=col>{escape(name.capitalize())}" for name in _HEAD)
        rows = "\n".join(
            f'<tr class="{escape(row[2])}">' + "".join(f"<td>{escape(cell)}" for cell in row)
            for row in self._rows
        )
        title = escape(self._title)
        return mask(
            f"<!doctype html>\n<html lang=en><meta charset=utf-8><title>{title}</title>\n"
            "<meta name=viewport content='width=device-width, initial-scale=1'>\n"
            f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n<p>{escape(self.summary)}\n"
            "<div class=table tabindex=0 role=region aria-label='Restore points'>"
            f"<table><thead><tr>{head}</thead>\n<tbody>\n{rows}\n</tbody></table></div>\n"
        )

    @property
    def _title(self) -> str:
        return (
            f"Restore points of {self.month:%Y-%m}, restaurant {self.restaurant},"
            f" as of {format_local(self.at)}"
        )

    @property
    def _rows(self) -> list[tuple[str, ...]]:
        return [_row(point) for point in self.points]


def parse_month(text: str | None, now: datetime) -> date:
    """Parses `2025-12`; None is the month of `now`. Raises Refused."""
    try:
        return date.fromisoformat(f"{text}-01") if text is not None else now.date().replace(day=1)
    except ValueError:
        raise Refused(f"--month: {text!r} is not a month; write it like 2025-12") from None


def _facts(point: RestorePoint) -> dict[str, Any]:
    proof = point.proof.manifest if point.proof else None
    return {
        "kind": point.kind,
        "due": point.due.isoformat(),
        "status": point.status,
        "copies": [one.location for one in point.backups],
        "last_proven": proof.restored_at.isoformat() if proof and proof.restored_at else None,
        "server": proof.restored_on if proof else None,
        "seconds": proof.restored_seconds if proof else None,
    }


def _row(point: RestorePoint) -> tuple[str, ...]:
    proof = point.proof.manifest if point.proof else None
    at = proof.restored_at if proof else None
    took = proof.restored_seconds if proof else None
    return (
        point.kind,
        format_local(point.due),
        point.status,
        format_local(at) if at else "-",
        (proof.restored_on if proof else None) or "-",
        format_duration(timedelta(seconds=took)) if took is not None else "-",
        ", ".join(one.location for one in point.backups) or "-",
    )
