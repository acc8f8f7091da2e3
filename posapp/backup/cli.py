"""The commands `posapp backup`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from healthkit.fields import format_size
from posapp.backup import point_in_time
from posapp.backup import schedule as scheduling
from posapp.backup.cli_restore import drill, restore
from posapp.backup.context import alarmed, folder_of, journal_of, now, work_of
from posapp.backup.create import make, rotate
from posapp.backup.errors import BackupError
from posapp.backup.journal import Journal
from posapp.backup.listing import listing
from posapp.backup.notifications import beat
from posapp.backup.storage.lookup import everything, find, verify
from posapp.backup.storage.s3 import Bucket
from posapp.settings import Settings


@click.group()
def backup() -> None:
    """Make backups, list them, prove them.

    They lie in BACKUP_DIR (default: backups), and in BACKUP_S3_BUCKET where one is set. Exit codes:
    1 it has failed, and ALERT_WEBHOOK was told; 2 a mistake to mend; 75 another run is at it.
    """


def _maker(kind: str, kept: str) -> click.Command:
    @click.command(kind, help=f"Make a {kind} backup; {kept}.")
    @click.option("--dry-run", is_flag=True, help="Only say what the rotation would remove.")
    def command(dry_run: bool) -> None:
        settings = Settings.from_env(os.environ)
        journal = journal_of(settings)
        if dry_run:
            _show_rotation(settings)
            return
        with alarmed(settings, journal, f"Backup ({kind})"), work_of(settings) as work:
            entry = make(kind, work, journal)
        beat(settings, os.environ, journal.line, f"backup-{kind}")
        click.echo(entry.where)
        journal.line("✅ Backup completed successfully!")

    return command


for _kind, _kept in (
    ("daily", "the daily ones of 7 days are kept"),
    ("weekly", "the weekly ones of 4 weeks are kept"),
    ("monthly", "the monthly ones of 3 months are kept"),
    ("pre-deploy", "the last 5 before deployments are kept"),
):
    backup.add_command(_maker(_kind, _kept))


def _show_rotation(settings: Settings) -> None:
    """As it is now; a backup that is made first would only add to what is kept."""
    quiet = Journal(Path(os.devnull), now)
    places = [folder_of(settings), Bucket.of(settings)]
    gone = [name for place in places if place for name in rotate(place, quiet, remove=False)]
    if not gone:
        click.echo("nothing would be removed")


@backup.command("list")
def show() -> None:
    """Show what there is, here and in S3, newest first."""
    settings = Settings.from_env(os.environ)
    entries = everything(folder_of(settings), Bucket.of(settings))
    click.echo(listing(entries, now()))


@backup.command("schedule")
def run_schedule() -> None:
    """Make the backups of every night, and prove them, until SIGTERM.

    In Jakarta's time: daily at 02:00, weekly on Sundays at 03:00, monthly on the first at 04:00; a
    drill on Sundays at 05:00 and on the first at 06:00, its report in BACKUP_DIR/drills. What was
    missed while this was off is made up for at the start.
    """
    settings = Settings.from_env(os.environ)
    jobs = scheduling.timetable(str(folder_of(settings).root / "drills"))
    entries = folder_of(settings).entries()
    scheduling.Schedule(jobs, journal_of(settings).line).run(
        scheduling.missed(jobs, entries, now())
    )


@backup.command()
def base() -> None:
    """Copy the whole server, to recover any moment from then on: posapp restore --at TIME."""
    settings = Settings.from_env(os.environ)
    journal = journal_of(settings)
    with (
        alarmed(settings, journal, "Base backup"),
        work_of(settings) as work,
        work.folder.locked(),
    ):
        made = point_in_time.make_base(work.access, work.folder, journal)
    beat(settings, os.environ, journal.line, "backup-base")
    click.echo(made.path)


@backup.command()
def wal() -> None:
    """Receive whatever is written to the server, until SIGTERM: what a base backup needs."""
    settings = Settings.from_env(os.environ)
    with work_of(settings) as work:
        journal_of(settings).line(f"Receiving what is written into {work.folder.root / 'wal'}")
        code = point_in_time.receive_wal(work.access, work.folder)
    if code:
        raise BackupError(f"pg_receivewal has ended: exit code {code}")


@backup.command("verify")
@click.argument("file", default="latest")
def verify_command(file: str) -> None:
    """Read a backup to its end and compare it with its manifest.

    FILE is a path, an s3:// address, or `latest` (the default). Exits 1 when it is not whole.
    """
    settings = Settings.from_env(os.environ)
    entry = find(file, settings)
    verify(entry, settings)
    click.echo(f"✅ {entry.where}: whole, {format_size(entry.size)}")


COMMANDS = (backup, drill, restore)
