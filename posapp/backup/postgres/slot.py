"""The replication slot: what the server keeps until it has been received."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg2

from posapp.backup.postgres.client import Connection, query

SLOT = "posapp_wal"
_STATE = """
SELECT active, wal_status = 'lost', coalesce(pg_current_wal_lsn() - restart_lsn, 0), safe_wal_size
FROM pg_replication_slots WHERE slot_name = %s
"""
_RECEIVED = """
SELECT r.flush_lsn - '0/0' FROM pg_stat_replication r
JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.slot_name = %s
"""
_HAS_SEGMENT = "SELECT EXISTS (SELECT FROM pg_ls_waldir() WHERE right(name, 16) = %s)"


@dataclass(frozen=True)
class Slot:
    """The slot: whether somebody receives, whether it is lost, the bytes of WAL that it keeps, and
    the bytes until it is lost (None: without a bound)."""

    active: bool
    lost: bool
    held: int
    left: int | None


def read_slot(connection: Connection) -> Slot | None:
    """Returns None where there is no slot."""
    rows = query(connection, _STATE, SLOT)
    if not rows:
        return None
    active, lost, held, left = rows[0]
    return Slot(active, bool(lost), int(held), None if left is None else int(left))


def received_until(connection: Connection) -> int | None:
    """Returns the position in WAL up to which whoever receives now has received, and synced; None
    where nobody does. What the slot says may be from a run before."""
    rows = query(connection, _RECEIVED, SLOT)
    return int(rows[0][0]) if rows and rows[0][0] is not None else None


def surely_has_segment(connection: Connection, last_digits: str) -> bool:
    """Whether the server still has the segment of whose name these are the last 16 digits; False
    for a role that may not look."""
    try:
        return bool(query(connection, _HAS_SEGMENT, last_digits)[0][0])
    except psycopg2.Error:
        return False


def has_segment(connection: Connection, last_digits: str) -> bool:
    """Whether the server still has, or is yet to write, the segment of whose name these are the
    last 16 digits. True for a role that may not look."""
    try:
        if query(connection, _HAS_SEGMENT, last_digits)[0][0]:
            return True
        newest = query(connection, "SELECT right(pg_walfile_name(pg_current_wal_lsn()), 16)")[0][0]
    except psycopg2.Error:
        return True
    return bool(last_digits > newest)


def segment_bytes(connection: Connection) -> int:
    """Returns the bytes of a segment of this server's WAL."""
    found = query(connection, "SELECT pg_size_bytes(current_setting('wal_segment_size'))")
    return int(found[0][0])


def drop_slot(connection: Connection) -> None:
    """Raises BackupError while somebody receives from it."""
    query(connection, "SELECT pg_drop_replication_slot(%s)", SLOT)
