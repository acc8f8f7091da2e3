"""The clock as it goes over the wire."""

from __future__ import annotations

from datetime import datetime

from posapp.features.clock.reading import Reading
from posapp.http.schemas import ApiModel


class ClockView(ApiModel):
    now: datetime
    database: datetime
    newest: datetime | None
    """The newest row that an act has written."""
    behind_seconds: int
    """0 when it is not."""
    sells: bool
    """False where a manager has to confirm the clock first."""
    confirmed: bool

    @classmethod
    def of(cls, reading: Reading) -> ClockView:
        return cls(
            now=reading.now,
            database=reading.database,
            newest=reading.newest,
            behind_seconds=max(0, int(reading.behind.total_seconds())),
            sells=reading.sells,
            confirmed=reading.wrong and reading.confirmed,
        )
