"""The check type `database`: a database answers, and how its connection pool stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, PrivateAttr, SecretStr, ValidationInfo, field_validator
from sqlalchemy import Engine

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.fields import Percent, parse_database_url
from healthkit_database.errors import FAULTS, describe_error
from healthkit_database.pool_stats import PoolStats, pool_stats
from healthkit_database.probe import DatabaseProbe
from healthkit_database.urls import display_url

__all__ = ["FAULTS", "Database", "describe_error"]


class Database(Check):
    """Whether a database answers a query, on a connection of the check's own.

    `engine` is an application's live engine: the report then has its pool's figures. They are
    read, never locked, and none of its connections is used: an exhausted pool or a server that
    hangs holds up neither the application nor the check.
    """

    public_details: ClassVar[tuple[str, ...]] = ("connection_pool",)

    engine: Engine | None = Field(default=None, repr=False)
    """In Python alone: an engine of SQLAlchemy, in place of `url`."""
    url: SecretStr | None = Field(default=None, validate_default=True)
    """The address, as SQLAlchemy writes it: `postgresql://user:password@host/name`."""
    query: str = Field(default="SELECT 1", min_length=1)
    """The statement that must be answered; its rows are not looked at."""
    warn_pool: Percent | None = None
    """The share of the pool of `engine` in use from which it is degraded."""
    _probe: DatabaseProbe = PrivateAttr()

    @field_validator("url", mode="after")
    @classmethod
    def _usable(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        text = url.get_secret_value().strip() if url is not None else ""
        if text:
            parse_database_url(text)
        elif "engine" in info.data and info.data["engine"] is None:
            raise ValueError("missing; write it like postgresql://host/name")
        return url

    def model_post_init(self, context: Any) -> None:
        if self.engine is not None:
            self._probe = DatabaseProbe(self.engine.url)
        elif self.url is not None:
            self._probe = DatabaseProbe(parse_database_url(self.url.get_secret_value()))

    def run(self, context: CheckContext) -> Outcome:
        try:
            self._probe.run(self.query, context.timeout)
        except FAULTS as error:
            return Outcome.unhealthy(describe_error(error), **self._pool(PoolStats(0, 0, 0)))
        details = self._pool(PoolStats(open=1, in_use=0, idle=1))
        if (warning := self._pool_warning()) is not None:
            return Outcome.degraded(warning, **details)
        return Outcome.healthy(**details)

    def target(self) -> str:
        return display_url(self._probe.url)

    def close(self) -> None:
        self._probe.close()

    def _pool(self, own: PoolStats) -> dict[str, Any]:
        """The application's pool when it is handed in, else the check's own connection."""
        found = pool_stats(self.engine.pool) if self.engine is not None else own
        return {"connection_pool": found.as_dict()} if found is not None else {}

    def _pool_warning(self) -> str | None:
        found = pool_stats(self.engine.pool) if self.engine is not None else None
        if self.warn_pool is None or found is None or found.capacity is None:
            return None
        if 100 * found.in_use < self.warn_pool * found.capacity:
            return None
        return f"{found.in_use} of {found.capacity} connections of the pool are in use"


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"database": Database}
