"""Entries in the POS's audit log for what is done to its data from outside, at the server."""

from __future__ import annotations

import getpass
import json
from datetime import datetime
from typing import Any

from posapp.backup.postgres.client import PostgresClient, query

_INSERT = """
    INSERT INTO audit_log (at, action, entity, entity_id, details)
    VALUES (%s, %s, 'backup', 0, %s)
"""


def record(client: PostgresClient, action: str, now: datetime, **details: Any) -> None:
    """Adds an entry, with the account of the operating system; to a database that has such a log.

    Raises BackupError.
    """
    with client.connect() as connection:
        if query(connection, "SELECT to_regclass('public.audit_log')")[0][0] is not None:
            entry = json.dumps({**details, "account": _account()})
            query(connection, _INSERT, now, action, entry)


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as containers have
        return "unknown"
