"""The connections to PostgreSQL that a layout needs at most, and whether the server has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RESERVED = 3
"""PostgreSQL's own default of `superuser_reserved_connections`: not for us; `posapp doctor` asks
the server."""

CHECKS = 4
"""A server or watcher checks the database, its schema, its books and its clock, each on a
connection of its own."""

LISTENING = 1
"""A worker's connection for LISTEN."""

STORE = 4
"""healthkit's pool, where its store is PostgreSQL too: two, and two more under load."""

BACKUP = 5
"""The snapshot, pg_dump, the counts and their companions in a restore."""

COMMANDS = 4
"""A migration, a doctor, and two people with a console."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The processes that share one PostgreSQL."""

    backends: int
    """Servers: containers, or machines."""
    workers: int
    """Processes of each server, WEB_CONCURRENCY."""
    pool: int
    """Connections of each of these, DB_MAX_OPEN_CONNS."""
    shared_store: bool = False
    """Whether healthkit's store is on the same PostgreSQL."""
    rolling: int = 1
    """Servers that stand beside the others while a version is replaced."""

    @property
    def of_worker(self) -> int:
        return self.pool + CHECKS + LISTENING + (STORE if self.shared_store else 0)

    @property
    def of_others(self) -> int:
        """The connections of the watcher, the backups and commands."""
        return CHECKS + (STORE if self.shared_store else 0) + BACKUP + COMMANDS

    @property
    def needed(self) -> int:
        """Connections when all are busy at once, during an update."""
        return (self.backends + self.rolling) * self.workers * self.of_worker + self.of_others

    def largest_pool(self, max_connections: int, reserved: int = RESERVED) -> int:
        """DB_MAX_OPEN_CONNS that would fit; below 1 where not even one would."""
        processes = (self.backends + self.rolling) * self.workers
        left = max_connections - reserved - self.of_others
        return left // processes - (self.of_worker - self.pool)


def shortage(layout: Layout, max_connections: int, reserved: int = RESERVED) -> str | None:
    """Returns one line on what does not fit and what would, or None when all fits.

    `max_connections` is the server's setting of that name; `reserved` of those are not for us.
    """
    wanted = layout.needed + reserved
    if wanted <= max_connections:
        return None
    fits = layout.largest_pool(max_connections, reserved)
    mend = f"DB_MAX_OPEN_CONNS={fits}, or " if fits >= 1 else ""
    return (
        f"{layout.backends} backends of {layout.workers} workers (and {layout.rolling} more during"
        f" an update) with DB_MAX_OPEN_CONNS={layout.pool} need {wanted}"
        f" connections, PostgreSQL has max_connections={max_connections}; set {mend}"
        f"max_connections={wanted}"
    )


def beyond(layout: Layout, limits: Mapping[str, int]) -> str | None:
    """Returns one line on the first limit of a role or a database that the layout needs more than,
    or None."""
    for whose, most in limits.items():
        if layout.needed > most:
            return (
                f"{layout.needed} connections are needed at most, and the {whose} may have fewer:"
                f" it has CONNECTION LIMIT {most}; raise it by ALTER, or lower DB_MAX_OPEN_CONNS"
            )
    return None
