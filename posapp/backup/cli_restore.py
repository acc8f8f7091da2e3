"""The commands `posapp restore` and `posapp drill`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import click

from healthkit.fields import format_duration
from posapp.backup import drill as drilling
from posapp.backup import drill_report, encryption, point_in_time
from posapp.backup import restore as restoring
from posapp.backup.context import alarmed, folder_of, journal_of, now, work_of
from posapp.backup.create import Work
from posapp.backup.errors import BackupError, Refused
from posapp.backup.journal import Journal
from posapp.backup.listing import listing
from posapp.backup.model.backup import clock_time
from posapp.backup.notifications import beat, call_webhook, silenced
from posapp.backup.postgres.snapshot import count_rows
from posapp.backup.storage.folder import Entry, Folder
from posapp.backup.storage.lookup import at_hand, everything, fetched, find, place_of, verify_bytes
from posapp.backup.storage.s3 import Bucket
from posapp.runtime.postgres import EmbeddedPostgresError
from posapp.settings import Settings


@click.command()
@click.argument("file", required=False)
@click.option(
    "--at", metavar="TIME", help="To a moment instead, from a base backup: see the runbook."
)
@click.option("--skip-confirm", is_flag=True, help="Do not ask; for scripts.")
@click.option(
    "--no-backup-first",
    is_flag=True,
    help="Make no pre-restore backup: where the live database is lost anyway.",
)
@click.option(
    "--without-manifest", is_flag=True, help="Restore what has none; its rows are not compared."
)
def restore(
    file: str | None,
    at: str | None,
    skip_confirm: bool,
    no_backup_first: bool,
    without_manifest: bool,
) -> None:
    """Put a backup in the place of the live database; alone, list what there is.

    FILE is a path, an s3:// address, or `latest`. The live database is backed up first; the backup
    is restored beside it and compared, and only then their names are swapped: whatever fails
    leaves the live one as it was. The old one is kept under another name.
    """
    settings = Settings.from_env(os.environ)
    if file is None and at is None:
        entries = everything(folder_of(settings), Bucket.of(settings))
        click.echo(listing(entries, now()))
        click.echo("\nTo restore one: posapp restore FILE")
        return
    journal = journal_of(settings)
    with (
        alarmed(settings, journal, "Restore", attended=True),
        work_of(settings) as work,
        work.folder.locked(),
        _wanted(file, at, settings, work, journal) as (entry, path),
    ):
        if not (without_manifest and entry.manifest is None):
            verify_bytes(entry, path)
        done = restoring.restore(
            entry,
            path,
            work,
            journal,
            (lambda question: None) if skip_confirm else _confirm,
            partial(silenced, settings, os.environ, journal.line),
            backup_first=not no_backup_first,
        )
    for line in restoring.summary(done):
        journal.line(line)
    journal.line("✅ Restore completed successfully!")


@contextmanager
def _wanted(
    file: str | None, at: str | None, settings: Settings, work: Work, journal: Journal
) -> Iterator[tuple[Entry, Path]]:
    """What is to be restored, as a file of this machine. Raises Refused."""
    if file is not None and at is not None:
        raise Refused("name a FILE or --at, not both")
    scratch = fetched(work.folder)
    if file is not None:
        entry = find(file, settings)
        with at_hand(entry, settings, scratch) as path:
            yield entry, path
        return
    entry = point_in_time.as_backup(at or "", work, Folder(scratch), journal)
    try:
        yield entry, Path(entry.where)
    finally:
        fetched(work.folder)


def _confirm(question: str) -> None:
    """Raises Refused."""
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        agreed = False
    if not agreed:
        raise Refused("not confirmed, so nothing was touched; scripts say --skip-confirm")


@click.command()
@click.argument("file", default="latest")
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    help="The folder of the report (default: here).",
)
def drill(file: str, folder: Path) -> None:
    """Prove a backup: restore it on a server of its own, and start the POS on it.

    FILE is a path, an s3:// address, or `latest` (the default). The live database is only asked how
    much was written since. Writes disaster-recovery-drill-YYYYMMDD.md; exits 1 when there are
    issues.
    """
    settings = Settings.from_env(os.environ)
    journal = journal_of(settings)
    with alarmed(settings, journal, "Drill"):
        entry = find(file, settings)
        found = drilling.drill(
            entry,
            lambda scratch: at_hand(entry, settings, scratch),
            lambda path: verify_bytes(entry, path),
            lambda: encryption.identity(settings.backup_age_identity),
            journal,
        )
        found.lost = _written_since(entry, settings)
        path = _write_report(found, folder)
        journal.line(f"Report: {path}")
        if found.issue:
            raise BackupError(f"{entry.name}: {found.issue}")
        _remember(entry, settings, found.began)
    beat(settings, os.environ, journal.line, "backup-drill")
    text = f"✅ Drill of {entry.name} completed successfully: {format_duration(found.took)}"
    call_webhook(settings, journal.line, "drill-succeeded", text)
    journal.line(text)


def _write_report(found: drilling.Findings, folder: Path) -> Path:
    path = folder / drill_report.file_name(found.began)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(drill_report.report(found))
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}; name another folder with --report") from None
    return path


def _written_since(entry: Entry, settings: Settings) -> str:
    """How many rows the live database has that the backup has not: what a disaster would cost."""
    if entry.manifest is None:
        return "not known: the backup has no manifest"
    try:
        with work_of(settings) as work:
            now = sum(count_rows(work.access).values())
    except (BackupError, EmbeddedPostgresError) as error:
        return f"not known, the live database does not answer: {error}"
    more = now - entry.manifest.rows
    return f"what was written since {clock_time(entry.name.at)}, {more:+d} rows by now"


def _remember(entry: Entry, settings: Settings, now: datetime) -> None:
    """Marks the backup as restored, unless it has been rotated away meanwhile."""
    with folder_of(settings).locked(wait=True):
        place = place_of(entry, settings)
        again = next((one for one in place.entries() if one.name == entry.name), None)
        if again is not None and again.manifest is not None:
            place.write_manifest(again, again.manifest.stating(restored_at=now))
