"""The circuit breaker of each channel: failures in a row, and when the channel is tried next."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from healthkit._model.alerts import ChannelState
from healthkit._store.tables import channels


def get_state(connection: Connection, name: str) -> ChannelState:
    return all_states(connection).get(name, ChannelState(name))


def all_states(connection: Connection) -> dict[str, ChannelState]:
    """Returns the states of the channels that have been tried."""
    return {
        row.name: ChannelState(
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
    """Counts one more failure in a row; the channel is not tried before `retry_at`."""
    before = get_state(connection, name)
    _save(
        connection,
        name,
        failures=before.failures + 1,
        failing_since=before.failing_since or now,
        retry_at=retry_at,
        error=error,
    )


def close(connection: Connection, name: str, **also: Any) -> None:
    """Resets the failures of a channel that works."""
    _save(connection, name, failures=0, failing_since=None, retry_at=None, error=None, **also)


def reset_retry_times(connection: Connection) -> None:
    """Lets every channel be tried at once: its fault may be repaired."""
    connection.execute(update(channels).values(retry_at=None))


def _save(connection: Connection, name: str, **values: Any) -> None:
    changed = update(channels).where(channels.c.name == name).values(**values)
    if connection.execute(changed).rowcount == 0:
        connection.execute(insert(channels).values(name=name, **values))
