"""The figures of a live SQLAlchemy pool, read without its locks."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Pool, QueuePool


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Connections that are open, and of these in use and idle.

    `capacity` is how many may be open at once, None where there is no limit.
    """

    open: int
    in_use: int
    idle: int
    capacity: int | None = None

    def as_dict(self) -> dict[str, int]:
        return {"open": self.open, "in_use": self.in_use, "idle": self.idle}


def pool_stats(pool: Pool) -> PoolStats | None:
    """The figures of a pool that counts its connections, None for one that keeps none.

    `QueuePool.checkedout()` takes the queue's lock. Under gevent that lock belongs to greenlets
    of another thread, and a check that waited for it would hang; so the numbers are read as they
    stand, and may be one apart from each other.
    """
    if not isinstance(pool, QueuePool):
        return None
    idle = len(pool._pool.queue)  # type: ignore[attr-defined]
    opened = max(idle, pool.size() + pool._overflow)
    limit = None if pool._max_overflow < 0 else pool.size() + pool._max_overflow
    return PoolStats(open=opened, in_use=opened - idle, idle=idle, capacity=limit)
