"""Secrets out of texts that leave the process."""

from __future__ import annotations

import re

MASK = "***MASKED***"

_URL_CREDENTIALS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/@'\"]+@", re.IGNORECASE)
_ASSIGNMENT = re.compile(
    r"(?P<key>\b[\w-]*(?:password|passwd|pwd|secret|token|api[_-]?key|authorization)[\w-]*"
    r"[\"']?\s*[=:]\s*)(?:bearer\s+)?(?P<value>\"[^\"]*\"|'[^']*'|[^\s&,;\"']+)",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """The text with credentials of URLs and values of secret keys replaced by `***MASKED***`."""
    text = _URL_CREDENTIALS.sub(rf"\g<scheme>{MASK}@", text)
    return _ASSIGNMENT.sub(rf"\g<key>{MASK}", text)


def one_line(text: str, limit: int = 200) -> str:
    """The first line that says something, masked and cut, for reports and messages."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    first = mask("".join(char if char.isprintable() else " " for char in first))
    return first if len(first) <= limit else first[: limit - 1] + "…"
