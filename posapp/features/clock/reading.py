"""Whether the clock can be right: a pure rule over what the database and its rows say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SUSPECT = timedelta(minutes=2)
"""Behind, or away from the database's clock, by more is worth telling."""

WRONG = timedelta(days=1)
"""Behind by more sells nothing without a manager's word."""

_SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Word:
    """A manager's, given at `at` by the clock in question, against `evidence`."""

    at: datetime
    evidence: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the clock; all moments are aware."""

    now: datetime
    database: datetime
    """The clock of the database."""
    newest: datetime | None
    """The newest row that an act has written; None in an empty database."""
    word: Word | None = None
    """The last one that was given."""

    @property
    def evidence(self) -> datetime:
        """The latest moment that has certainly been."""
        return max(self.database, self.newest or self.database)

    @property
    def behind(self) -> timedelta:
        """The time by which the clock is behind; nothing or less when it is not."""
        return self.evidence - self.now

    @property
    def ahead(self) -> timedelta:
        """The time by which the clock is ahead of the database's."""
        return self.now - self.database

    @property
    def suspect(self) -> bool:
        return self.behind > SUSPECT or self.ahead > SUSPECT

    @property
    def wrong(self) -> bool:
        return self.behind > WRONG

    @property
    def confirmed(self) -> bool:
        """Whether a manager's word holds: until the clock goes back again, or more has been seen
        than the time since then explains."""
        if self.word is None or self.now < self.word.at:
            return False
        return self.evidence - self.word.evidence <= self.now - self.word.at + _SLACK

    @property
    def sells(self) -> bool:
        return not self.wrong or self.confirmed

    def describe(self) -> str:
        """Says in one line what is wrong and what to do about it."""
        if self.behind <= SUSPECT and self.ahead > SUSPECT:
            return f"the clock is ahead of the database's by {_span(self.ahead)}; set one of them"
        what = "the database's clock" if self.evidence == self.database else "the newest row"
        return (
            f"the clock says {self.now:%Y-%m-%d %H:%M} UTC, {what} {self.evidence:%Y-%m-%d %H:%M}:"
            f" behind by {_span(self.behind)}; set the machine's clock"
        )


def _span(length: timedelta) -> str:
    if length >= timedelta(days=2):
        return f"{length.days} days"
    return f"{int(length.total_seconds()) // 60} minutes"
