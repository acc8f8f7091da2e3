"""Groups of checks: their names in paths, and what is wrong with them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping

from healthkit.errors import ConfigProblem, did_you_mean

TAKEN = frozenset({"act", "beat", "check", "report"})
"""What else stands behind `/health/`."""


def group_path(group: str | None) -> str:
    """Returns a group's name as it stands in paths: `Front of house` is `front-of-house`, `Küche`
    is `kuche`; nothing for a name without a Latin letter or a digit."""
    plain = unicodedata.normalize("NFKD", group or "").encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def group_problems(
    of_checks: Mapping[str, str | None], named: Collection[str]
) -> list[ConfigProblem]:
    """Returns the mistakes in the groups of checks (by the check's name) and in `[groups.NAME]`."""
    known = {path for group in of_checks.values() if (path := group_path(group))}
    taken = [
        ConfigProblem(f"checks.{name}.group", f"{group!r} is taken in paths; choose another name")
        for name, group in of_checks.items()
        if group_path(group) in TAKEN
    ]
    unknown = [
        ConfigProblem(f"groups.{name}", f"no check has this group{did_you_mean(name, known)}")
        for name in named
        if name not in known
    ]
    return [*taken, *unknown]
