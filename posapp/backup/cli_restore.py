"""The commands `posapp restore` and `posapp drill`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click

from healthkit import SYSTEM_CLOCK
from healthkit.fields import format_duration, format_size
from posapp.backup import drill as drilling
from posapp.backup import drill_report, point_in_time
from posapp.backup import restore as restoring
from posapp.backup.context import BackupContext, open_context
from posapp.backup.coverage import read_all
from posapp.backup.dry_run import OBSTACLE, foretell, foretell_moment
from posapp.backup.errors import BackupError, Refused
from posapp.backup.listing import listing
from posapp.backup.model.backup import Backup, format_local
from posapp.backup.model.identity import ours, owners
from posapp.backup.postgres.client import tool_version
from posapp.backup.postgres.databases import list_replaced
from posapp.backup.postgres.snapshot import count_rows
from posapp.backup.restore import Asking
from posapp.backup.storage.folder import BackupLock, FolderStorage
from posapp.backup.storage.lookup import (
    download_folder,
    find_backup,
    intact,
    list_all,
    read_ahead,
    source_of,
    storage_of,
    verify_checksum,
)
from posapp.backup.told import tell_once
from posapp.runtime.postgres import EmbeddedPostgresError

_SHOWN = 100
"""Of a list: a bucket that nobody may empty has thousands."""
UNSIGNED = click.option(
    "--unsigned",
    is_flag=True,
    help="Take what BACKUP_KEY has not signed, after its name was typed.",
)


@click.command()
@click.argument("file", required=False)
@click.option(
    "--at", metavar="TIME", help="To a moment instead, from a base backup: see the runbook."
)
@click.option("--skip-confirm", is_flag=True, help="Do not ask; for scripts.")
@click.option(
    "--no-pre-restore-backup",
    is_flag=True,
    help="Create no pre-restore backup: where the live database is lost anyway.",
)
@click.option(  # its name in version 1.0
    "--no-backup-first", "no_pre_restore_backup", is_flag=True, hidden=True
)
@click.option(
    "--without-manifest", is_flag=True, help="Restore what has none; its rows are not compared."
)
@click.option("--dry-run", is_flag=True, help="Only say what would happen, obstacles included.")
@UNSIGNED
def restore(
    file: str | None,
    at: str | None,
    dry_run: bool,
    skip_confirm: bool,
    no_pre_restore_backup: bool,
    without_manifest: bool,
    unsigned: bool,
) -> None:
    """Replace the live database by a backup; alone, list the backups.

    FILE is a path, an s3:// address, or `latest`. The live database is backed up first; the backup
    is restored beside it and compared, and only then their names are swapped: a failure at any
    point leaves the live one as it was. The old one is kept under another name.
    """
    if file is None and at is None:
        with open_context(os.environ, SYSTEM_CLOCK) as context:
            show_backups(context)
        click.echo("\nTo restore one: posapp restore FILE")
        return
    if dry_run:
        with open_context(os.environ, SYSTEM_CLOCK) as context:
            asking = Asking(_confirm, _confirm_typed, unsigned, not no_pre_restore_backup)
            _foretell(file, at, context, asking)
        return
    with (
        open_context(os.environ, SYSTEM_CLOCK, run="Restore", attended=True) as context,
        context.storage.lock() as lock,
        _selected_backup(file, at, context, lock, unsigned) as (backup, dump, moment),
    ):
        without_manifest = without_manifest and backup.manifest is None
        if not without_manifest:
            verify_checksum(backup, dump)
        asking = Asking(
            (lambda question: None) if skip_confirm else _confirm,
            _confirm_typed,
            unsigned or without_manifest,
            not no_pre_restore_backup,
        )
        silence = context.notifications.silence_alerts
        result = restoring.restore(backup, dump, context, lock, asking, silence, moment)
    for line in restoring.summary(result):
        context.log.write(line)
    context.log.write("✅ Restore completed successfully!")


def _foretell(file: str | None, at: str | None, context: BackupContext, asking: Asking) -> None:
    """Says what a restore would do. Raises Refused, and exits 1 where there are obstacles."""
    if file is not None and at is not None:
        raise Refused("name a FILE or --at, not both")
    if file is None:
        lines = foretell_moment(at or "", context, asking.unsigned)
    else:
        lines = foretell(_find(file, context, asking.unsigned), context, asking)
    for line in [*lines, "Nothing was changed."]:
        click.echo(context.log.line(line))
    if any(line.startswith(OBSTACLE) for line in lines):
        raise click.exceptions.Exit(1)


def _find(what: str, context: BackupContext, unsigned: bool) -> Backup:
    """Raises Refused."""
    is_good = intact if unsigned else context.is_good
    return find_backup(what, context.settings, context.own, is_good, context.clock.now())


def show_backups(context: BackupContext, whole: bool = False) -> None:
    """Prints the backups here and in S3; those of other restaurants apart. The newest of each, or
    the `whole` list."""
    found = list_all(context.storages)
    own = context.own if len(owners(found)) > 1 else None
    mine = ours(found, own)
    _show_list(mine, context, whole)
    known = {backup.location for backup in mine}
    if others := [backup for backup in found if backup.location not in known]:
        click.echo("\nOf other restaurants, restored by name alone and with a typed confirmation:")
        _show_list(others, context, whole)
    for line in _moments(context):
        click.echo(line)
    if replaced := _replaced(context):
        click.echo("\nLive until a restore, and still on the server:")
        click.echo("\n".join(f"  {name}, {format_size(size)}" for name, size in replaced))


def _show_list(backups: list[Backup], context: BackupContext, whole: bool) -> None:
    shown = backups if whole else backups[-_SHOWN:]
    read_ahead(shown)
    click.echo(listing(shown, context.clock.now()))
    if more := len(backups) - len(shown):
        click.echo(f"… and {more} older ones: posapp backup list --all")


def _moments(context: BackupContext) -> list[str]:
    """Returns which moments can be restored, a line for each place that has any."""
    try:
        found = [f"{one.describe()}, in {one.where}" for one in read_all(context) if one.in_use]
    except BackupError as error:
        found = [f"not known: {error}"]
    return ["", *(f"To a moment (--at): {line}" for line in found)] if found else []


def _replaced(context: BackupContext) -> list[tuple[str, int]]:
    """Returns the databases that restores have replaced; [] where the server does not answer."""
    try:
        with context.client.maintenance.connect() as connection:
            return list_replaced(connection, context.client.database)
    except (BackupError, EmbeddedPostgresError):
        return []


@contextmanager
def _selected_backup(
    file: str | None, at: str | None, context: BackupContext, lock: BackupLock, unsigned: bool
) -> Iterator[tuple[Backup, BinaryIO, datetime | None]]:
    """Gives the backup to restore, its open dump, and the moment that it shows where that is not
    the backup's own. Raises Refused."""
    if file is not None and at is not None:
        raise Refused("name a FILE or --at, not both")
    scratch = download_folder(context.storage, lock)
    if file is not None:
        backup = _find(file, context, unsigned)
        with source_of(backup, context.settings).local_copy(backup, scratch) as dump:
            yield backup, dump, None
        return
    try:
        with (
            point_in_time.backup_as_of(
                at or "", context, FolderStorage(scratch), _confirm_typed if unsigned else None
            ) as (backup, moment),
            context.storage.open(backup) as dump,
        ):
            yield backup, dump, moment
    finally:
        download_folder(context.storage, lock)


def _confirm(question: str) -> None:
    """Raises Refused."""
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        agreed = False
    if not agreed:
        raise Refused("not confirmed, so nothing was touched; scripts use --skip-confirm")


def _confirm_typed(question: str, word: str) -> None:
    """Asks whatever --skip-confirm says: a script types the word too. Raises Refused."""
    try:
        typed = click.prompt(
            f"{question}\nType {word} to go on", default="", show_default=False, err=True
        )
    except click.Abort:
        typed = ""
    if typed.strip() != word:
        raise Refused("not confirmed by its name, so nothing was touched")


@click.command()
@click.argument("file", default="latest")
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    help="The folder of the report (default: here).",
)
@UNSIGNED
def drill(file: str, folder: Path, unsigned: bool) -> None:
    """Prove a backup: restore it on a server of its own, and start the POS on it.

    FILE is a path, an s3:// address, or `latest` (the default). The live database is only asked how
    much was written since. Writes disaster-recovery-drill-YYYYMMDD.md; exits 1 when there are
    issues.
    """
    _require_folder(folder)
    with (
        open_context(os.environ, SYSTEM_CLOCK, run="Drill") as context,
        context.notifications.job("backup-drill"),
    ):
        backup = _find(file, context, unsigned)
        if not unsigned:
            context.key.require(backup)
        elif not context.key.has_signed(backup.manifest):
            _confirm_typed(
                f"{backup.location}: nobody has signed it. Restore it all the same?",
                str(backup.name),
            )
        result = drilling.drill(backup, context)
        result.data_loss = _rows_since(backup, context)
        path = _write_report(result, folder)
        context.log.write(f"Report: {path}")
        if result.issue:
            raise BackupError(f"{backup.name}: {result.issue}")
        server = f"PostgreSQL {tool_version('postgres')}"
        mark_restored(backup, context, result.began, server, result.took.total_seconds())
    text = f"✅ Drill of {backup.name} completed successfully: {format_duration(result.took)}"
    context.notifications.send_webhook("drill-succeeded", text)
    context.log.write(text)


def _require_folder(folder: Path) -> None:
    """Raises Refused where no report can be written: not after an hour's drill."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Refused(f"{folder}: {error.strerror}; name another folder with --report") from None


def _write_report(result: drilling.DrillResult, folder: Path) -> Path:
    path = folder / drill_report.file_name(result.began)
    try:
        drill_report.keep_earlier(path)
        path.write_text(drill_report.report(result), "utf-8", "surrogateescape")
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}; name another folder with --report") from None
    return path


def _rows_since(backup: Backup, context: BackupContext) -> str:
    """Returns how many rows the live database has more than the backup: what a disaster costs."""
    if backup.manifest is None:
        return "not known: the backup has no manifest"
    try:
        rows = sum(count_rows(context.client).values())
    except (BackupError, EmbeddedPostgresError) as error:
        return f"not known, the live database does not answer: {error}"
    more = rows - backup.manifest.rows
    return f"what was written since {format_local(backup.at)}, {more:+d} rows by now"


def mark_restored(
    backup: Backup, context: BackupContext, restored_at: datetime, on: str, seconds: float
) -> None:
    """Marks the backup as restored, here and where it lies, unless a rotation has removed it
    meanwhile. A bucket in which nothing may be overwritten is a warning: it is proven all the
    same."""
    unmarked: dict[str, str] = {}
    with context.storage.lock(wait=True):
        lies_in = storage_of(backup, context.settings)
        places = [lies_in] if lies_in else []
        if lies_in is None or backup.in_s3:
            places.append(context.storage)
        for place in places:
            for found in place.list_backups():
                if not _is_copy(found, backup) or found.manifest is None:
                    continue
                proven = found.manifest.as_restored(restored_at, on, seconds)
                try:
                    place.write_manifest(found, context.key.resign(found.manifest, proven))
                except BackupError as error:
                    unmarked[found.name.key] = str(error)
        subject = "Not marked as restored"
        tell_once(context.storage.root, subject, unmarked, context.notifications)


def _is_copy(found: Backup, backup: Backup) -> bool:
    """Whether both are one backup, to the last byte."""
    if found.name.plain != backup.name.plain:
        return False
    digests = [one.manifest.sha256 if one.manifest else None for one in (found, backup)]
    return digests[0] == digests[1]
