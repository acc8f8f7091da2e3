"""The rotation of refresh tokens: a pure rule.

Each refresh uses one token up and issues its successor. A client whose answer got lost asks again
with the token that it has, and gets the same successor; whoever comes later, or after the successor
was used, holds a stolen token (RFC 9700, section 4.14.2), or its thief does.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

REPEAT_WINDOW = timedelta(seconds=60)
"""How long after its use a token may be asked for again."""


class Rotation(Enum):
    """The three things that a refresh may do."""

    ISSUE = "issue"
    """Use the token up and issue its successor."""
    REPEAT = "repeat"
    """Answer with the successor that was issued already."""
    THEFT = "theft"
    """End the whole sign-in."""


def rotation(used_at: datetime | None, successor_used: bool, now: datetime) -> Rotation:
    """Returns what a refresh does with a token that was used at `used_at`, or never (None)."""
    if used_at is None:
        return Rotation.ISSUE
    if successor_used or now - used_at > REPEAT_WINDOW:
        return Rotation.THEFT
    return Rotation.REPEAT
