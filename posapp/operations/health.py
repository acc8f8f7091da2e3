"""The POS's own healthkit plugin, and the form of its health that the runbook expects."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from healthkit import (
    Check,
    CheckContext,
    Outcome,
    RenderedResponse,
    Report,
    Status,
    health_body,
    hookimpl,
)
from healthkit_backup_freshness import BackupFreshness
from healthkit_database import FAULTS, describe_error
from posapp.database.schema import is_newer, schema_state
from posapp.observability import logs
from posapp.operations.requests_check import Requests
from posapp.settings import Settings, parse_database_url

_SILENCE = 3.0
"""Seconds that a bucket may be silent."""
COUNT_TABLES = text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")


BOOKS = text(
    """
    SELECT
      (SELECT count(*) FROM payments
        WHERE created_at > now() - interval '2 days' AND receipt_number IS NULL) AS unnumbered,
      (SELECT count(*) FROM (
        SELECT 1 FROM payments WHERE business_date > current_date - 2
        GROUP BY business_date HAVING max(receipt_number) <> count(*)) days) AS gaps,
      (SELECT count(*) FROM orders
        WHERE created_at > now() - interval '2 days' AND paid <>
          (SELECT coalesce(sum(amount), 0) FROM payments WHERE order_id = orders.id
            AND NOT EXISTS (SELECT FROM payment_reversals WHERE payment_id = payments.id))
      ) AS unequal
    """
)


class _DatabaseCheck(Check):
    """A check that looks into the POS's database, on a connection that it does not keep and for no
    longer than it may."""

    url: SecretStr

    def run(self, context: CheckContext) -> Outcome:
        try:
            return self.inspect(self._engine(context), context.now)
        except FAULTS as error:
            return Outcome.unhealthy(describe_error(error))

    def inspect(self, engine: Engine, now: datetime) -> Outcome:
        """Evaluates the database behind `engine` at `now`. May raise what is in FAULTS."""
        raise NotImplementedError

    def _engine(self, context: CheckContext) -> Engine:
        engine = create_engine(
            parse_database_url(self.url.get_secret_value()),
            poolclass=NullPool,
            connect_args={"connect_timeout": max(2, int(context.timeout))},
        )
        limit = f"SET LOCAL statement_timeout = {int(context.timeout * 1000)}"
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(limit))
        return engine


class Migrations(_DatabaseCheck):
    """The database has the schema that this version of the POS was written for.

    An older one is a fault; with a newer one it still runs, as after a rollback, but not for long.
    """

    public_details: ClassVar[tuple[str, ...]] = ("tables",)

    def inspect(self, engine: Engine, now: datetime) -> Outcome:
        current, head = schema_state(engine)
        with engine.connect() as connection:
            tables = connection.execute(COUNT_TABLES).scalar_one()
        if current == head:
            return Outcome.healthy(revision=current, tables=tables)
        if is_newer(current):
            return Outcome.degraded(
                f"the database has {current}, newer than {head}, which this version knows",
                tables=tables,
            )
        return Outcome.unhealthy(
            f"the database has {current or 'no schema'}, this version needs {head}:"
            " posapp db upgrade",
            tables=tables,
        )


class Books(_DatabaseCheck):
    """The money of the last two days adds up. The database forbids that it does not; this proves
    that it has."""

    def inspect(self, engine: Engine, now: datetime) -> Outcome:
        with engine.connect() as connection:
            found = connection.execute(BOOKS).one()
        faults = [
            f"{found.unnumbered} payments without a receipt number" if found.unnumbered else "",
            f"{found.gaps} days whose receipt numbers have a gap" if found.gaps else "",
            f"{found.unequal} orders whose payments do not add up" if found.unequal else "",
        ]
        if any(faults):
            return Outcome.unhealthy("; ".join(filter(None, faults)))
        return Outcome.healthy()


class PosClock(_DatabaseCheck):
    """The clock agrees with the database's and is not behind the newest row."""

    def inspect(self, engine: Engine, now: datetime) -> Outcome:
        # It loads half the application, for which a backup's heartbeat would wait.
        from posapp.features.clock import service as clock

        with Session(engine) as session:
            reading = clock.read(session, now)
        behind = max(0, int(reading.behind.total_seconds()))
        if not reading.sells:
            return Outcome.unhealthy(
                f"{reading.describe()}; nothing is sold without a manager's word", behind=behind
            )
        if reading.suspect:
            return Outcome.degraded(reading.describe(), behind=behind)
        return Outcome.healthy(behind=behind)


class PosBackupFreshness(BackupFreshness):
    """The newest backup is good. A POS that has never made one is given `max_age` for its first,
    from when it was first looked for."""

    def run(self, context: CheckContext) -> Outcome:
        outcome = super().run(context)
        none = outcome.status is Status.UNHEALTHY and not outcome.details.get("count")
        if not none or context.heartbeats is None:
            return outcome
        since = context.heartbeats.waiting_since(context.name, context.now)
        if context.now - since > self.max_age:
            return outcome
        return Outcome.healthy("waiting for the first backup: posapp backup daily")


class PosWal(_DatabaseCheck):
    """Any moment can be restored, where that is kept: base backups and the receiver's WAL in
    `location`, which is BACKUP_DIR, and in the bucket, and the slot of the server. Healthy where it
    is not in use."""

    location: Path
    bucket: str = ""
    """BACKUP_S3_BUCKET; its address and keys, and BACKUP_KEY, are the environment's."""

    def inspect(self, engine: Engine, now: datetime) -> Outcome:
        # What backups need is loaded when it is first looked at.
        from posapp.backup import coverage
        from posapp.backup.errors import BackupError
        from posapp.backup.signing import SigningKey
        from posapp.backup.storage.lookup import open_bucket

        settings, key, bucket = Settings.from_env(os.environ), None, None
        try:
            bucket = open_bucket(settings, self.bucket) if self.bucket else None
            key = SigningKey.from_settings(settings)
        except BackupError as error:
            if self.bucket:
                return Outcome.unhealthy(str(error))
        if bucket is not None:
            bucket = replace(bucket, timeout=_SILENCE, attempts=1)
        with (
            engine.connect() as connection,
            closing(bucket) if bucket is not None else nullcontext(),
        ):
            live: Any = connection.connection.driver_connection
            found = coverage.judge(self.location, live, now, key, bucket)
        if found.faults:
            return Outcome.unhealthy("; ".join(found.faults), **found.details)
        if found.warnings:
            return Outcome.degraded("; ".join(found.warnings), **found.details)
        return Outcome.healthy(found.note, **found.details)


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {
        "pos-migrations": Migrations,
        "pos-books": Books,
        "pos-clock": PosClock,
        "pos-backup": PosBackupFreshness,
        "pos-wal": PosWal,
        "pos-requests": Requests,
    }


@hookimpl
def healthkit_logging() -> bool:
    """The watcher logs as the POS does: one JSON object a line on stdout."""
    logs.configure(Settings.from_env(os.environ).log_level)
    return True


def api_page(report: Report) -> RenderedResponse:
    """`GET /api/v1/health`: the runbook's body, and what its test restore looks for."""
    body: dict[str, Any] = health_body(report)
    found = {result.check.name: result.outcome for result in report.results}
    database = found.get("database")
    reached = database is not None and database.status in (Status.HEALTHY, Status.DEGRADED)
    migrations = found.get("migrations")
    success = report.status is not Status.UNHEALTHY
    return RenderedResponse.json(
        200 if success else 503,
        {
            **body,
            "success": success,
            "message": f"System {report.status.value}",
            "data": {
                "database": "connected" if reached else "disconnected",
                "tables": migrations.details.get("tables", 0) if migrations else 0,
            },
        },
    )
