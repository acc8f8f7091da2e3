"""The command `posapp doctor`."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import URL

from healthkit import ConfigError, ConfiguredCheck, Health, Status, load_settings
from healthkit import Settings as HealthSettings
from healthkit.cli import end_with
from healthkit.masking import escape_controls, mask
from posapp.operations.doctor.checks import doctors_checks
from posapp.operations.doctor.findings import DATABASE, RUNBOOK, Finding, findings_of
from posapp.operations.doctor.watching import with_copied_store
from posapp.runtime import postgres, processes
from posapp.runtime.errors import CommandError
from posapp.settings import Settings, SettingsError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--backends",
    type=click.IntRange(1, 1000),
    help="How many servers (containers) share the database, when they are replaced one by one.",
)
def doctor(as_json: bool, backends: int | None) -> None:
    """Say what is wrong with this POS and what to do about it; change nothing.

    Looks at configuration, database, migrations, connections, disks, clock, certificates, backups
    and their restores, channels, Uptime Kuma and Sentry, all at once and none for long. Exit codes:
    0 nothing is wrong, 1 there are faults, 2 it cannot tell (the configuration is not usable).
    """
    try:
        found = examine(Settings.from_env(os.environ), backends)
    except (SettingsError, ConfigError, CommandError) as error:
        if not as_json:
            raise
        errors = [escape_controls(mask(line)) for line in str(error).splitlines()]
        end_with(2, _as_json("unknown", errors=errors))
    code, status = (1, "faults") if found else (0, "healthy")
    if as_json:
        end_with(code, _as_json(status, findings=[one.as_json() for one in found]))
    end_with(code, "\n".join(one.line() for one in found) or "Nothing is wrong.")


def _as_json(status: str, **fields: object) -> str:
    return json.dumps({"status": status, **fields}, indent=1, ensure_ascii=False)


def examine(settings: Settings, backends: int | None) -> list[Finding]:
    """Runs every check side by side. Raises healthkit's ConfigError."""
    with _database(settings) as url, tempfile.TemporaryDirectory(prefix="pos-doctor-") as folder:
        health = _load(settings, url)
        checks = [*health.checks, *doctors_checks(settings, health, url, backends, os.environ)]
        if url is None:
            checks = _without_database(checks)
        chosen = with_copied_store(health, Path(folder))
        once = Health(chosen.model_copy(update={"checks": tuple(checks)}))
        report = once.check_once()
        once.stop()
    found = findings_of(report, {one.info.name: one.type for one in checks})
    return [_no_database(settings), *found] if url is None else found


def _without_database(checks: list[ConfiguredCheck]) -> list[ConfiguredCheck]:
    """Those that have something to ask where there is no database yet."""
    databases = {one.info.name for one in checks if one.type == "database"}
    return [one for one in checks if not databases & {one.info.name, *one.info.depends_on}]


def _load(settings: Settings, url: URL | None) -> HealthSettings:
    environ = processes.with_health_store(os.environ, settings)
    address = url.render_as_string(hide_password=False) if url else "postgresql:///none"
    path = processes.health_config_path(settings)
    return load_settings(path, environ={**environ, "DATABASE_URL": address})


@contextmanager
def _database(settings: Settings) -> Iterator[URL | None]:
    """The database as it is. The embedded server is started, as by every command, but not made:
    None where it has no data yet. A running one is not asked: it may hang."""
    data_dir = settings.pos_data_dir
    if settings.database is not None:
        yield settings.database
    elif running := postgres.running_database(data_dir):
        yield running
    elif (data_dir / "postgres" / "PG_VERSION").exists():
        with postgres.use_embedded_database(data_dir) as url:
            yield url
    else:
        yield None


def _no_database(settings: Settings) -> Finding:
    return Finding(
        area=DATABASE.area,
        check="database",
        status=Status.UNHEALTHY.value,
        what=f"there is none yet under {settings.pos_data_dir}, and DATABASE_URL is not set",
        remedy="run posapp demo, or posapp db upgrade and posapp seed",
        runbook=f"{RUNBOOK}#{DATABASE.anchor}",
    )


COMMANDS = (doctor,)
