"""The POS's own healthkit plugin, and the form of its health that the runbook expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import PrivateAttr, SecretStr
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from healthkit import Check, CheckContext, Outcome, Report, Status, hookimpl, reports
from healthkit.reports import Page
from posapp.db import schema_state

COUNT_TABLES = text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")


class Migrations(Check):
    """The database has the schema that this version of the POS was written for."""

    url: SecretStr
    _engine: Engine | None = PrivateAttr(default=None)

    def run(self, context: CheckContext) -> Outcome:
        engine = create_engine(
            self.url.get_secret_value(),
            poolclass=NullPool,
            connect_args={
                "connect_timeout": max(2, int(context.timeout)),
                "options": f"-c statement_timeout={int(context.timeout * 1000)}",
            },
        )
        current, head = schema_state(engine)
        with engine.connect() as connection:
            tables = connection.execute(COUNT_TABLES).scalar_one()
        if current != head:
            found = current or "no schema"
            return Outcome.unhealthy(
                f"the database has {found}, this version needs {head}: posapp db upgrade",
                tables=tables,
            )
        return Outcome.healthy(revision=current, tables=tables)


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"pos-migrations": Migrations}


def api_page(report: Report) -> Page:
    """`GET /api/v1/health`: the runbook's body, and what its test restore looks for."""
    body: dict[str, Any] = reports.runbook(report)
    found = {result.check.name: result.outcome for result in report.results}
    database = found.get("database")
    reached = database is not None and database.status in (Status.HEALTHY, Status.DEGRADED)
    migrations = found.get("migrations")
    return reports.page(
        reports.http_status(report),
        reports.JSON,
        reports.dump(
            {
                **body,
                "success": report.status is not Status.UNHEALTHY,
                "message": f"System {report.status.value}",
                "data": {
                    "database": "connected" if reached else "disconnected",
                    "tables": migrations.details.get("tables", 0) if migrations else 0,
                },
            }
        ),
    )
