"""The commands `posapp backup`."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import click

from healthkit import SYSTEM_CLOCK
from healthkit.fields import format_size
from posapp import JAKARTA
from posapp.backup import receiver
from posapp.backup.base_backup import create_base_backup
from posapp.backup.cli_restore import drill, restore, show_backups
from posapp.backup.context import BackupContext, open_context
from posapp.backup.coverage import read_coverage
from posapp.backup.create import create_backup, expired_backups
from posapp.backup.errors import BackupError, Refused
from posapp.backup.export import export
from posapp.backup.model.backup import format_local
from posapp.backup.model.identity import ours
from posapp.backup.model.restore_points import points_of_month
from posapp.backup.monthly_report import MonthlyReport, parse_month
from posapp.backup.output import show
from posapp.backup.signing import SigningKey
from posapp.backup.storage.lookup import find_backup, list_all, read_ahead, verify
from posapp.runtime.files import write_atomically


@click.group("backup")
def backup_commands() -> None:
    """Create backups, list them, prove them.

    They lie in BACKUP_DIR (default: backups), and in BACKUP_S3_BUCKET where one is set. Exit codes:
    1 the run failed, and ALERT_WEBHOOK was notified; 2 a mistake to fix; 75 another run is active.
    """


def _create_command(kind: str, kept: str) -> click.Command:
    @click.command(kind, help=f"Create a {kind} backup; {kept}.")
    @click.option("--dry-run", is_flag=True, help="Only show what the retention would remove.")
    def command(dry_run: bool) -> None:
        if dry_run:
            with open_context(os.environ, SYSTEM_CLOCK) as context:
                _show_expired(context)
            return
        with (
            open_context(os.environ, SYSTEM_CLOCK, run=f"Backup ({kind})") as context,
            context.storage.lock() as lock,
            context.notifications.job(f"backup-{kind}"),
        ):
            backup = create_backup(kind, context, lock)
        show(backup.location)
        context.log.write("✅ Backup completed successfully!")

    return command


for _kind, _kept in (
    ("daily", "the daily ones of 7 days are kept"),
    ("weekly", "the weekly ones of 4 weeks are kept"),
    ("monthly", "the monthly ones of 3 months are kept"),
    ("pre-deploy", "the last 5 before deployments are kept"),
):
    backup_commands.add_command(_create_command(_kind, _kept))


def _show_expired(context: BackupContext) -> None:
    """As of now; a backup that is created first would only add to what is kept."""
    expired = [
        name
        for storage in context.storages
        for name in expired_backups(storage, context, context.own)
    ]
    for name in expired:
        click.echo(context.log.line(f"Would remove {name.key}: kept its time"))
    if not expired:
        click.echo("nothing would be removed")


@backup_commands.command("list")
@click.option("--all", "whole", is_flag=True, help="All of them, not only the newest hundred.")
def list_command(whole: bool) -> None:
    """Show the backups here and in S3, newest first."""
    with open_context(os.environ, SYSTEM_CLOCK) as context:
        show_backups(context, whole)


@backup_commands.command("export")
@click.argument("file")
@click.option("--backup", "what", default="latest", help="Which one (default: the newest).")
@click.option("--unencrypted", is_flag=True, help="Readable by whoever finds it.")
def export_command(file: str, what: str, unencrypted: bool) -> None:
    """Write a backup into one signed, encrypted file, for a stick: posapp restore FILE.

    FILE may be a folder. It needs BACKUP_AGE_RECIPIENT; to restore it, BACKUP_KEY and the age
    identity are needed.
    """
    if not file:  # a variable that is not set would mean the folder that one is in
        raise Refused("no file is named: write where the backup goes, a file or a folder")
    with open_context(os.environ, SYSTEM_CLOCK) as context:
        if context.recipient is None and not unencrypted:
            raise Refused(
                "BACKUP_AGE_RECIPIENT is not set, so that the file cannot be encrypted: set it, or"
                " type --unencrypted and keep the file where nobody finds it"
            )
        now = context.clock.now()
        backup = find_backup(what, context.settings, context.own, context.is_good, now)
        recipient = None if unencrypted else context.recipient
        path = export(backup, Path(file).absolute(), context, recipient)
    show(f"✅ {path}: the backup of {format_local(backup.at)}, {format_size(backup.size)}")


@backup_commands.command("log")
def show_log() -> None:
    """Print where the log of the runs is."""
    with open_context(os.environ, SYSTEM_CLOCK) as context:
        click.echo(context.log.path)


@backup_commands.command("report")
@click.option("--month", metavar="YYYY-MM", help="The month (default: this one).")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it as a page to this file instead.",
)
def show_report(month: str | None, as_json: bool, page: Path | None) -> None:
    """Show each restore point that a month promised, when it was last proven, where and how fast.

    Exits 1 where one is missing.
    """
    with open_context(os.environ, SYSTEM_CLOCK) as context:
        now, own = context.clock.now().astimezone(JAKARTA), context.own
        chosen = parse_month(month, now)
        backups = ours(list_all(context.storages), own)
        read_ahead(backups)
        points = points_of_month(chosen, now, backups, context.is_good)
        restaurant = (own.id if own else None) or "without an identity"
        report = MonthlyReport(chosen, restaurant, context.clock.now(), points)
        if page is None:
            click.echo(report.as_json() if as_json else report.as_text())
        else:
            try:
                write_atomically(page, report.as_html().encode(errors="surrogateescape"))
            except (OSError, ValueError) as error:  # also a path that is empty
                raise Refused(f"--html: {page}: {getattr(error, 'strerror', error)}") from None
            click.echo(page)
    if report.missing:
        raise click.exceptions.Exit(1)


@backup_commands.command("schedule")
def run_schedule() -> None:
    """Create the backups of every night, and prove them, until SIGTERM.

    In Jakarta's time: daily at 02:00, weekly on Sundays at 03:00, monthly on the first at 04:00; a
    drill on Sundays at 05:00 and on the first at 06:00, its report in BACKUP_DIR/drills; where WAL
    is received, a base backup on Sundays at 04:00. Jobs that were missed while this was off run at
    the start.
    """
    with open_context(os.environ, SYSTEM_CLOCK, run="Schedule of backups") as context:
        from posapp.backup import schedule as scheduling  # its timetable's library is for it alone

        jobs = scheduling.timetable(str(context.storage.root / "drills"))
        backups = ours(context.storage.list_backups(), context.own)
        coverage = read_coverage(context.storage)
        bases = [base.at for base in coverage.bases] if coverage.in_use else None
        missed = scheduling.missed_jobs(jobs, backups, context.clock.now(), bases)
        scheduling.Schedule(jobs, context.log.write, partial(tell, context)).run(missed)


def tell(context: BackupContext, text: str) -> None:
    """Tells a failure to the log and to ALERT_WEBHOOK."""
    context.log.write(text)
    context.notifications.send_webhook("backup-failed", text)


@backup_commands.command()
@click.option("--if-received", is_flag=True, help="Only where posapp backup receive-wal is used.")
def base(if_received: bool) -> None:
    """Copy the whole server, to recover any moment from then on: posapp restore --at TIME."""
    if if_received:
        with open_context(os.environ, SYSTEM_CLOCK) as context:
            if not read_coverage(context.storage).in_use:
                click.echo("no WAL is received here, so a base backup would be of no use")
                return
    with (
        open_context(os.environ, SYSTEM_CLOCK, run="Base backup") as context,
        context.storage.lock() as lock,
        context.notifications.job("backup-base"),
    ):
        created = create_base_backup(context, lock)
        if context.bucket is not None:
            from posapp.backup.base_upload import upload_bases  # and boto3, for those who have one

            upload_bases(context)
    show(str(created.path))


@backup_commands.command("receive-wal")
def receive_wal() -> None:
    """Receive all that is written to the server, until SIGTERM: what a base backup needs."""
    with open_context(os.environ, SYSTEM_CLOCK) as context:
        context.log.write(f"Receiving WAL into {context.storage.root / 'wal'}")
        code = receiver.receive_wal(context)
    if code:
        raise BackupError(f"pg_receivewal has ended: exit code {code}")


backup_commands.add_command(  # its name in version 1.0
    click.Command("wal", callback=receive_wal.callback, help=receive_wal.help, hidden=True)
)


@backup_commands.command("verify")
@click.argument("file", default="latest")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Another copy of BACKUP_KEY: whether it is the one that signed this backup.",
)
def verify_command(file: str, key_file: Path | None) -> None:
    """Read a backup to its end and compare it with its manifest, and that with its signature.

    FILE is a path, an s3:// address, or `latest` (the default). Exits 1 when it is not whole, or
    not signed.
    """
    with open_context(os.environ, SYSTEM_CLOCK) as context:
        if key_file is not None:
            context.key = SigningKey.from_file(key_file)
        backup = find_backup(file, context.settings, context.own, now=context.clock.now())
        context.log.expect(backup.manifest.sql_bytes if backup.manifest else None)
        verify(backup, context.settings, context.load_identity, context.log.progress)
        context.key.require(backup)
    click.echo(f"✅ {backup.location}: whole, {format_size(backup.size)}")


COMMANDS = (backup_commands, drill, restore)
