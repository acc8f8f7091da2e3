"""The planner's statistics, of which a dump has none."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from posapp.backup.context import BackupContext
from posapp.backup.errors import BackupError
from posapp.backup.postgres.client import PostgresClient, query


@contextmanager
def updated_beside(context: BackupContext) -> Iterator[None]:
    """Updates those of a database that is live already beside what else is to be done, waits for
    them, and tells how it went: it answers without them too, and gets them in any case later."""
    with ThreadPoolExecutor(1) as beside:
        updating = beside.submit(_update, context.client)
        yield
        try:
            updating.result()
        except BackupError as error:
            context.log.write(f"The planner's statistics are not updated: {error}; type ANALYZE")
        else:
            context.log.write("The planner's statistics are updated")


def _update(client: PostgresClient) -> None:
    with client.connect() as connection:
        query(connection, "ANALYZE")
