"""The progress of a step in words, with an estimate where its size is known: pure."""

from __future__ import annotations

from datetime import timedelta

from healthkit.fields import format_duration, format_size

_WIDTH = 20
_LEAST = 0.5
"""Seconds before which no rate is known."""
_LONGEST = 30 * 86_400.0
"""Seconds; who needs longer than a month does not know how long."""


def describe(done: int, total: int | None, seconds: float) -> str:
    """Returns `45 %, 135.0 MB of 300.0 MB, 20.0 MB/s, about 8s left`. `total` may be an estimate:
    what has gone beyond it says no more of the end."""
    rate = done / max(_LEAST, seconds)
    parts = [format_size(done), f"{format_size(rate)}/s"]
    if total and done <= total:
        parts[0] = f"{done * 100 // total} %, {parts[0]} of {format_size(total)}"
        left = (total - done) / rate if rate > 0 else _LONGEST
        if seconds >= _LEAST and left < _LONGEST:
            parts.append(f"about {format_duration(timedelta(seconds=round(left)))} left")
    return ", ".join(parts)


def bar(done: int, total: int | None) -> str:
    """Returns `[#########-----------] `; "" where nobody knows the end."""
    if not total or done > total:
        return ""
    filled = done * _WIDTH // total
    return f"[{'#' * filled}{'-' * (_WIDTH - filled)}] "
