"""The circuit of each channel: how it fares, and until when it is left alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from healthkit._store.tables import channels

OPEN_AFTER = 3
"""Failures in a row."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """How a channel fares: its failures in a row, since when, and when it is tried again."""

    name: str
    failures: int = 0
    failing_since: datetime | None = None
    retry_at: datetime | None = None
    error: str = ""
    last_sent_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it counts as failing: one lost message may be chance."""
        return self.failures >= OPEN_AFTER


def of(connection: Connection, name: str) -> Circuit:
    return every(connection).get(name, Circuit(name))


def every(connection: Connection) -> dict[str, Circuit]:
    """The circuits of channels that have been tried."""
    return {
        row.name: Circuit(
            row.name,
            row.failures,
            row.failing_since,
            row.retry_at,
            row.error or "",
            row.last_sent_at,
        )
        for row in connection.execute(select(channels))
    }


def count_failure(
    connection: Connection, name: str, now: datetime, error: str, retry_at: datetime
) -> None:
    """One more failure in a row; the channel is left alone until `retry_at`."""
    before = of(connection, name)
    _save(
        connection,
        name,
        failures=before.failures + 1,
        failing_since=before.failing_since or now,
        retry_at=retry_at,
        error=error,
    )


def close(connection: Connection, name: str, **also: Any) -> None:
    """The channel works."""
    _save(connection, name, failures=0, failing_since=None, retry_at=None, error=None, **also)


def try_now(connection: Connection) -> None:
    """Every channel may be tried at once: what was wrong with it may be mended."""
    connection.execute(update(channels).values(retry_at=None))


def _save(connection: Connection, name: str, **values: Any) -> None:
    changed = update(channels).where(channels.c.name == name).values(**values)
    if connection.execute(changed).rowcount == 0:
        connection.execute(insert(channels).values(name=name, **values))
