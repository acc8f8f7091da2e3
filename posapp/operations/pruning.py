"""The one job that removes what has been kept long enough; docs/architecture.md has the table.

It runs in each server process every five minutes; PostgreSQL's advisory lock lets one at a time.
Money and its audit are not its business: the database refuses to remove them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from loguru import logger
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from healthkit import Clock, Health
from healthkit.errors import HealthkitError
from healthkit.masking import one_line
from posapp.features.auth.pruning import prune_sign_ins, prune_tokens
from posapp.features.idempotency import service as idempotency
from posapp.observability.metrics import PRUNE_FAILURES, PRUNED, PRUNED_AT
from posapp.runtime.files import cap_log

EVERY = 300.0
"""Seconds."""

BATCH = 5_000
"""Rows of one transaction, which must keep nobody waiting."""

MOST_BATCHES = 200
"""Batches of one run; the rest waits for the next."""

PRUNE_LOCK = 7_233_003

CHECK = "retention"
"""The heartbeat check of healthkit's configuration, where it has one, that this job reports to."""

Beat = Callable[[str, str | None], None]
"""Says how a run goes: "start", "success" or "failure", and with what words."""

Rule = Callable[[Session, datetime, int], int]
"""Removes up to so many of one kind at a moment; returns how many."""

RULES: Mapping[str, Rule] = {
    "idempotency_keys": idempotency.prune,
    "sign_ins": prune_sign_ins,
    "refresh_tokens": prune_tokens,
}


def beat_of(health: Health) -> Beat:
    """Returns what reports the runs to `health`. What cannot be stored is logged, and keeps nothing
    from being removed."""

    def beat(kind: str, text: str | None) -> None:
        if CHECK not in health.heartbeat_names():
            return
        try:
            health.beat(CHECK, kind, text=text)
        except (HealthkitError, SQLAlchemyError, OSError) as error:
            logger.warning("The heartbeat {} was not stored: {}", CHECK, one_line(str(error)))

    return beat


class Pruner:
    """Prunes from `start` to `stop`; `logs` is the folder of the logs of `posapp demo`."""

    def __init__(self, engine: Engine, clock: Clock, logs: Path, beat: Beat) -> None:
        self._beat = beat
        self._engine = engine
        self._clock = clock
        self._logs = logs
        self._stopped = threading.Event()

    def start(self) -> None:
        """Runs in a thread of its own (in gevent's workers a greenlet), which ends with them."""
        threading.Thread(target=self._run, name="pruner", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while True:
            self.prune()
            if self._stopped.wait(EVERY):
                return

    def prune(self) -> Mapping[str, int]:
        """Runs once; returns how many of each kind are gone. A fault is logged and counted."""
        gone: dict[str, int] = {}
        self._beat("start", None)
        try:
            for kind, rule in {**RULES, "log_bytes": self._cap_logs}.items():
                gone[kind] = self._prune(rule)
                PRUNED.labels(kind).inc(gone[kind])
            PRUNED_AT.set(self._clock.now().timestamp())
        except (SQLAlchemyError, OSError) as error:
            PRUNE_FAILURES.inc()
            self._beat("failure", one_line(str(error)))
            logger.exception("What has been kept long enough could not be removed")
        else:
            removed = ", ".join(f"{count} {kind}" for kind, count in gone.items() if count)
            self._beat("success", f"removed {removed}" if removed else None)
        return gone

    def _cap_logs(self, session: Session, now: datetime, batch: int) -> int:
        return sum(cap_log(log) for log in self._logs.glob("*.log"))

    def _prune(self, rule: Rule) -> int:
        total = 0
        for _ in range(MOST_BATCHES):
            with Session(self._engine) as session, session.begin():
                lock = text("SELECT pg_try_advisory_xact_lock(:key)")
                if not session.execute(lock, {"key": PRUNE_LOCK}).scalar_one():
                    return total
                removed = rule(session, self._clock.now(), BATCH)
            total += removed
            if removed < BATCH:
                return total
        return total
