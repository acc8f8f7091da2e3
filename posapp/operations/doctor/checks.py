"""The checks of the doctor beyond those of healthkit.toml. They only read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy import URL, Row, TextClause, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from healthkit import Check, CheckContext, ConfiguredCheck, Outcome, configure_check
from healthkit import Settings as HealthSettings
from healthkit_backup_freshness import BackupFreshness
from healthkit_database import describe_error
from healthkit_disk import Disk
from healthkit_http import Http
from healthkit_ssl_expiry import SslExpiry
from posapp.operations.doctor.kuma import KumaPage, KumaPlan
from posapp.runtime.connections import RESERVED, Layout, beyond, shortage
from posapp.settings import Settings

LIMIT = "5s"
"""What each may take."""
CROWDED = 0.9
"""The share of max_connections from which one more burst may be refused."""

_CONNECTIONS = text(
    "SELECT current_setting('max_connections')::int AS most,"
    " current_setting('superuser_reserved_connections')::int"
    " + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,"
    " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,"
    " current_user AS role, current_database() AS name,"
    " (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user AND NOT rolsuper) AS of_role,"
    " (SELECT datconnlimit FROM pg_database, pg_roles WHERE datname = current_database()"
    " AND rolname = current_user AND NOT rolsuper) AS of_database"
)
"""Superusers have no limit of their own."""
_WAITING = text(
    "SELECT count(*) AS waiting,"
    " ceil(max(extract(epoch FROM now() - query_start)))::int AS seconds,"
    " min((pg_blocking_pids(pid))[1]) AS holder FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND query_start < now() - interval '1 second'"
)
"""A lock that is waited for longer than a second; in the POS none is held for a tenth of one."""


class Configuration(Check):
    """Variables that production cannot do without, though it starts."""

    settings: Settings

    def run(self, context: CheckContext) -> Outcome:
        missing = []
        if self.settings.production and self.settings.backup_key is None:
            missing.append("BACKUP_KEY is not set, so no backup can be made: openssl rand -hex 32")
        return Outcome.unhealthy("; ".join(missing)) if missing else Outcome.healthy()


class _Asking(Check):
    """A check that asks the database one thing, on a connection that it does not keep."""

    url: URL

    def ask(self, question: TextClause, timeout: float) -> Row[Any]:
        """Returns the one row of the answer. Raises SQLAlchemyError."""
        engine = create_engine(
            self.url, poolclass=NullPool, connect_args={"connect_timeout": max(2, int(timeout))}
        )
        with engine.connect() as connection:
            limit = f"SET LOCAL statement_timeout = {int(1000 * timeout)}"
            connection.exec_driver_sql(limit)
            return connection.execute(question).one()


class Pool(_Asking):
    """All processes together fit into the server's max_connections, now and when all are busy."""

    layout: Layout

    def run(self, context: CheckContext) -> Outcome:
        try:
            found = self.ask(_CONNECTIONS, context.timeout)
        except SQLAlchemyError as error:
            return Outcome.unhealthy(describe_error(error))
        limits = {f"role {found.role}": found.of_role, f"database {found.name}": found.of_database}
        known = {whose: most for whose, most in limits.items() if most is not None and most >= 0}
        return evaluate_connections(self.layout, found.used, found.most, found.reserved, known)


class Statements(_Asking):
    """No statement waits for another's lock for long."""

    def run(self, context: CheckContext) -> Outcome:
        try:
            found = self.ask(_WAITING, context.timeout)
        except SQLAlchemyError as error:
            return Outcome.unhealthy(describe_error(error))
        if not found.waiting:
            return Outcome.healthy()
        return Outcome.degraded(
            f"{found.waiting} statements wait for a lock, the longest for {found.seconds} s;"
            f" held by pid {found.holder}"
        )


def evaluate_connections(
    layout: Layout,
    used: int,
    most: int,
    reserved: int = RESERVED,
    limits: Mapping[str, int] = MappingProxyType({}),
) -> Outcome:
    """Whether `most` connections, less those that are `reserved`, are enough for the layout, and
    are not nearly `used` up; `limits` are those of its role and its database."""
    if used >= CROWDED * most:
        return Outcome.unhealthy(
            f"{used} of {most} connections are in use; see who in pg_stat_activity,"
            " lower DB_MAX_OPEN_CONNS or raise max_connections"
        )
    lacking = shortage(layout, most, reserved) or beyond(layout, limits)
    return Outcome.degraded(lacking) if lacking else Outcome.healthy()


class Channels(Check):
    """Each kind of fault has somebody who is told, and the watcher's own silence is noticed."""

    health: HealthSettings

    def run(self, context: CheckContext) -> Outcome:
        enabled = {name for name, one in self.health.channels.items() if one.enabled}
        if not enabled:
            return Outcome.unhealthy("no channel is set, so nobody is told of a fault")
        deaf = [
            severity.value
            for severity, route in self.health.routes.items()
            if route.channels and not enabled & {*route.channels, *route.escalate_to}
        ]
        if deaf:
            return Outcome.degraded(f"nobody is told of {', '.join(deaf)} faults")
        if not self.health.watch.heartbeat.get_secret_value():
            return Outcome.degraded(
                "WATCH_HEARTBEAT is not set, so nobody notices when the watcher itself has died:"
                " posapp kuma apply writes it"
            )
        return Outcome.healthy()


class Bucket(BackupFreshness):
    """The newest backup in the bucket is good."""


class Sentry(Http):
    """Sentry's server answers at all."""


def doctors_checks(
    settings: Settings,
    health: HealthSettings,
    url: URL | None,
    backends: int | None,
    environ: Mapping[str, str],
) -> Iterator[ConfiguredCheck]:
    """The checks that fit what is configured, each with its limit.

    `backends` are replaced one after another, beside each other for a moment; None is one server
    that is stopped and started.
    """
    yield _configured("configuration", Configuration(settings=settings))
    if url is not None:
        shared = health.store.url.get_secret_value().startswith("postgres")
        layout = Layout(
            backends or 1,
            settings.web_concurrency,
            settings.db_max_open_conns,
            shared_store=shared,
            rolling=0 if backends is None else 1,
        )
        databases = tuple(one.info.name for one in health.checks if one.type == "database")
        yield _configured("pool", Pool(url=url, layout=layout), depends_on=databases)
        yield _configured("statements", Statements(url=url), depends_on=databases)
    if settings.production:
        yield _configured("channels", Channels(health=health))
    yield from _disks(settings, health)
    yield from _certificates(settings, health)
    if settings.backup_s3_bucket is not None:
        yield _configured("bucket", _bucket(settings, settings.backup_s3_bucket), timeout="15s")
    if settings.sentry_dsn is not None:
        yield _configured("sentry", Sentry.model_validate(_sentry(settings.sentry_dsn)))
    yield from _kuma(settings, environ)


def _configured(name: str, check: Check, **options: Any) -> ConfiguredCheck:
    return configure_check(f"doctor-{name}", check, **{"timeout": LIMIT, **options})


def _disks(settings: Settings, health: HealthSettings) -> Iterator[ConfiguredCheck]:
    """The disk of the backups, unless healthkit.toml looks at it already."""
    backups = _existing(settings.backup_dir.resolve())
    known = {_existing(one.check.path).stat().st_dev for one in health.checks if one.type == "disk"}
    if backups.stat().st_dev not in known:
        # A backend's container has them to read: whether they are written is the schedule's matter.
        yield _configured("backup-disk", Disk(path=backups, read_only=True))


def _existing(path: Path) -> Path:
    """The nearest folder above that is there and that this user may look at: another's, and a name
    that no disk takes, raise where Path.exists asks."""
    return next(one for one in (path, *path.absolute().parents) if os.path.exists(one))


def _certificates(settings: Settings, health: HealthSettings) -> Iterator[ConfiguredCheck]:
    """Those of the addresses that browsers use, unless healthkit.toml looks at them already."""
    known = {one.check.host.host for one in health.checks if one.type == "ssl-expiry"}
    for number, origin in enumerate(settings.cors_allowed_origins):
        parts = urlsplit(origin)
        if parts.scheme == "https" and parts.hostname not in known:
            host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
            check = SslExpiry.model_validate({"host": f"{host}:{parts.port or 443}"})
            yield _configured(f"certificate-{number}", check)


def _bucket(settings: Settings, bucket: str) -> Bucket:
    return Bucket(
        location=f"s3://{bucket}/daily",
        min_size=5_000,
        max_restore_age=timedelta(days=36_500),  # a copy there is not told of later drills
        endpoint=settings.backup_s3_endpoint,
        access_key=SecretStr(settings.backup_s3_access_key or ""),
        secret_key=settings.backup_s3_secret_key or SecretStr(""),
    )


def _kuma(settings: Settings, environ: Mapping[str, str]) -> Iterator[ConfiguredCheck]:
    """Whether it is as declared can be asked by whoever has its password."""
    if settings.kuma_url is None:
        return
    address = f"{settings.kuma_url}/api/entry-page"
    page = _configured("kuma", KumaPage.model_validate({"url": address, "expect_status": [200]}))
    yield page
    if settings.kuma_password is not None:
        check = KumaPlan(settings=settings, environ=environ)
        yield _configured("kuma-plan", check, timeout="20s", depends_on=(page.info.name,))


def _sentry(dsn: SecretStr) -> dict[str, Any]:
    """Asks for nothing: any answer at all says that the network lets errors through."""
    parts = urlsplit(dsn.get_secret_value())
    netloc = parts.netloc.rpartition("@")[2]
    return {"url": f"{parts.scheme}://{netloc}/api/0/", "expect_status": ["2xx", "3xx", "4xx"]}
