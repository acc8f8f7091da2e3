"""The lease: of N watchers on one store exactly one leads, and a former leader cannot write.

Each change of the leader raises the epoch. Whatever a leader writes stands behind `fence`, in the
same transaction, so that one that was frozen, or cut off, finds that its epoch is over before it
has changed anything (Kleppmann, "How to do distributed locking": fencing tokens).
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, select, update

from healthkit._store.tables import WATCH, lease
from healthkit.errors import StoreError


class FencedError(StoreError):
    """Another watcher leads by now; nothing has been written."""


@dataclass(frozen=True, slots=True)
class Leader:
    """The watcher that leads: a name for people, since when, and until when unless it renews."""

    name: str
    epoch: int
    since: datetime
    until: datetime


def acquire(connection: Connection, me: str, length: timedelta, now: datetime) -> int | None:
    """Returns the epoch in which `me` leads, renewed or newly begun; None while another leads.

    On PostgreSQL the server's clock counts, whatever `now` is: watchers' clocks may differ.
    """
    now = _database_time(connection, now)
    row = connection.execute(select(lease).with_for_update()).one()
    if row.holder == me:
        values = {"until": now + length}
        connection.execute(update(lease).values(**values))
        return int(row.epoch)
    # Further ahead than a leader could have written while this one waited: the clock went back.
    taken = row.until is not None and now < row.until <= now + 2 * length
    if taken and not _is_dead(row.holder):
        return None
    epoch = int(row.epoch) + 1
    connection.execute(update(lease).values(epoch=epoch, holder=me, since=now, until=now + length))
    return epoch


def fence(connection: Connection, epoch: int, now: datetime | None = None) -> None:
    """Keeps the epoch from changing until the transaction ends.

    With `now` the lease must not have expired either. Raises FencedError.
    """
    row = connection.execute(select(lease).with_for_update(read=True)).one()
    if row.epoch != epoch or not row.holder:
        raise FencedError("another watcher leads")
    if now is not None and row.until <= _database_time(connection, now):
        raise FencedError("the lease has expired")


def release(connection: Connection, epoch: int) -> None:
    """Ends the lease, so that another watcher takes over at once."""
    ended = update(lease).where(lease.c.epoch == epoch).values(holder="", until=None)
    connection.execute(ended)


def leader(connection: Connection, now: datetime) -> Leader | None:
    """Returns the watcher that leads, or None."""
    row = connection.execute(select(lease).where(lease.c.name == WATCH)).one()
    if not row.holder or row.until is None or row.until <= _database_time(connection, now):
        return None
    return Leader(row.holder.partition(" ")[2], row.epoch, row.since, row.until)


def _database_time(connection: Connection, now: datetime) -> datetime:
    if connection.dialect.name != "postgresql":
        return now
    moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment


# The identity of a watcher


def holder_identity() -> str:
    """Returns a mark of this process, which shows whether it still lives, and a name for people."""
    pid = os.getpid()
    return f"{_machine()}/{pid}/{_started(pid)} {socket.gethostname()} process {pid}"


def _is_dead(holder: str) -> bool:
    """Whether a holder is known to be dead: it was a process of this very machine that is gone.
    So another takes over from a watcher that was killed at once where possible, and not only when
    the lease expires."""
    machine, pid, started = [*holder.partition(" ")[0].rsplit("/", 2), "", ""][:3]
    if not machine or machine != _machine() or not pid.isdigit():
        return False
    return _started(int(pid)) != started


def _machine() -> str:
    """Returns this boot of the kernel and the namespace of process numbers; empty where the system
    does not show them."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Returns when a process was started, in the kernel's ticks; empty when it is gone or a
    zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]
