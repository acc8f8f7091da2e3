"""Durations, sizes and shares as people write them in healthkit.toml, and back again.

Each is an annotated type for pydantic models: `interval: Duration`, `min_size: Size`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?i?)B?", re.IGNORECASE)
_LONGEST = timedelta(days=3660)


def parse_duration(value: Any) -> timedelta:
    """`"1h30m"`, `"500ms"`, `"0s"` or a timedelta. Raises ValueError for anything else."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value.strip()):
        text = value.strip() if isinstance(value, str) else ""
        if not text or not re.fullmatch(f"(?:{_DURATION.pattern})+", text):
            raise ValueError(f"{value!r} is not a duration; write it like 500ms, 10s, 1h30m or 7d")
    seconds = sum(float(n) * _SECONDS[unit] for n, unit in _DURATION.findall(value))
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"{value!r} is longer than ten years")
    return timedelta(seconds=seconds)


def parse_size(value: Any) -> int:
    """`"1MB"` (10^6), `"1MiB"` (2^20) or a whole number of bytes. Raises ValueError."""
    if isinstance(value, bool) or (isinstance(value, int) and value < 0):
        raise ValueError(f"{value!r} is not a size; write it like 500KB, 1MB or 2GiB")
    if isinstance(value, int):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{value!r} is not a size; write it like 500KB, 1MB or 2GiB")
    prefix = match[2].upper()
    power = "KMGT".index(prefix[0]) + 1 if prefix else 0
    if prefix == "I":
        raise ValueError(f"{value!r} is not a size; write it like 500KB, 1MB or 2GiB")
    base = 1024 if prefix.endswith("I") else 1000
    return round(float(match[1]) * float(base**power))


def parse_percent(value: Any) -> float:
    """`"80%"` as 80.0. Raises ValueError outside 0 to 100."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", value.strip()) if isinstance(value, str) else None
    if not match or float(match[1]) > 100:
        raise ValueError(f"{value!r} is not a share; write it like 80%")
    return float(match[1])


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be more than 0s")
    return value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
PositiveDuration = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_positive)]
Size = Annotated[int, BeforeValidator(parse_size)]
Percent = Annotated[float, BeforeValidator(parse_percent)]


def format_duration(value: timedelta) -> str:
    """`72h15m30s`: the largest parts first, whole seconds, as the runbook writes uptimes."""
    seconds = max(0, int(value.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def format_size(value: float) -> str:
    """`5.2 MB`, in powers of 1000."""
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
