"""The faults that the leading watcher finds in itself, for the check `alerting` of any process."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from healthkit._model.alerts import WatcherFaults
from healthkit._store.tables import faults


def replace(connection: Connection, found: WatcherFaults) -> None:
    """Stores the faults in place of those before."""
    connection.execute(delete(faults))
    rows = [*_rows(found.grave, True), *_rows(found.unreachable, False)]
    if rows:
        connection.execute(insert(faults), rows)


def _rows(texts: Sequence[str], grave: bool) -> list[dict[str, object]]:
    return [{"grave": grave, "text": text} for text in texts]


def read(connection: Connection) -> WatcherFaults:
    rows = connection.execute(select(faults).order_by(faults.c.id)).all()
    return WatcherFaults(
        grave=tuple(row.text for row in rows if row.grave),
        unreachable=tuple(row.text for row in rows if not row.grave),
    )
