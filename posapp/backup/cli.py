"""The commands `posapp backup`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from healthkit.cli.common import table
from healthkit.units import format_duration, format_size
from posapp import embedded
from posapp.backup import archive, keys, report
from posapp.backup import drill as drilling
from posapp.backup import restore as restoring
from posapp.backup import schedule as scheduling
from posapp.backup.bucket import Bucket
from posapp.backup.catalogue import Entry, Folder
from posapp.backup.journal import Journal, log_file
from posapp.backup.make import Work, make, rotate
from posapp.backup.names import clock_time
from posapp.backup.places import at_hand, everything, fetched, find, place_of, verify, verify_bytes
from posapp.backup.postgres import Access
from posapp.backup.problems import BackupError, Busy, Refused
from posapp.backup.snapshot import count_rows
from posapp.backup.telling import beat, call_webhook, silenced
from posapp.db import DatabaseError
from posapp.embedded import EmbeddedError
from posapp.settings import Settings


def _now() -> datetime:
    return datetime.now(UTC)


def _journal(settings: Settings) -> Journal:
    return Journal(log_file(settings), _now)


@contextmanager
def _work(settings: Settings) -> Iterator[Work]:
    """Raises EmbeddedError, and Refused for keys that are none."""
    key = keys.recipient(settings.backup_age_recipient)
    with embedded.database(settings) as url:
        yield Work(
            Access(url),
            _folder(settings),
            Bucket.of(settings),
            key,
            lambda: keys.identity(settings.backup_age_identity),
        )


@contextmanager
def _alarmed(
    settings: Settings, journal: Journal, what: str, attended: bool = False
) -> Iterator[None]:
    """Tells the log and ALERT_WEBHOOK of a failure; a refusal only where nobody is looking.

    SIGTERM is a failure too, so that whatever was begun is cleaned up.
    """
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    except Busy as busy:
        journal.line(str(busy))
        raise
    except (BackupError, EmbeddedError, DatabaseError) as error:
        if attended and isinstance(error, Refused):
            raise
        journal.line(f"❌ {what} failed: {error}")
        name = what.split()[0].lower()
        text = f"❌ {what} failed: {error}"
        call_webhook(settings, journal.line, f"{name}-failed", text)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise BackupError("it was told to end (SIGTERM)")


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
        journal = _journal(settings)
        if dry_run:
            _show_rotation(settings)
            return
        with _alarmed(settings, journal, f"Backup ({kind})"), _work(settings) as work:
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
    quiet = Journal(Path(os.devnull), _now)
    places = [_folder(settings), Bucket.of(settings)]
    gone = [name for place in places if place for name in rotate(place, quiet, remove=False)]
    if not gone:
        click.echo("nothing would be removed")


@backup.command("list")
def show() -> None:
    """Show what there is, here and in S3, newest first."""
    settings = Settings.from_env(os.environ)
    entries = everything(_folder(settings), Bucket.of(settings))
    click.echo(listing(entries, _now()))


def listing(entries: list[Entry], now: datetime) -> str:
    """The backups as a table; times are Jakarta's."""
    if not entries:
        return "there is no backup"
    head = ("NAME", "KIND", "AGE", "SIZE", "VERIFIED", "UPLOADED", "RESTORED", "WHERE")
    return table([head, *(_row(entry, now) for entry in reversed(entries))])


def _row(entry: Entry, now: datetime) -> tuple[str, ...]:
    manifest = entry.manifest
    moments = (
        (manifest.verified_at if entry.good else None, manifest.uploaded_at, manifest.restored_at)
        if manifest
        else (None, None, None)
    )
    return (
        str(entry.name),
        entry.name.kind,
        age(now - entry.name.at),
        format_size(entry.size),
        *(clock_time(moment) if moment else "-" for moment in moments),
        entry.where.removesuffix(f"/{entry.name}"),
    )


def age(value: timedelta) -> str:
    """`3d 4h`, `4h 10m`, `10m`."""
    minutes = max(0, int(value.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m"


@backup.command("schedule")
def run_schedule() -> None:
    """Make the backups of every night, and prove them, until SIGTERM.

    In Jakarta's time: daily at 02:00, weekly on Sundays at 03:00, monthly on the first at 04:00; a
    drill on Sundays at 05:00 and on the first at 06:00, its report in BACKUP_DIR/drills. What was
    missed while this was off is made up for at the start.
    """
    settings = Settings.from_env(os.environ)
    jobs = scheduling.timetable(str(_folder(settings).root / "drills"))
    entries = _folder(settings).entries()
    scheduling.Schedule(jobs, _journal(settings).line).run(scheduling.missed(jobs, entries, _now()))


@backup.command()
def base() -> None:
    """Copy the whole server, to recover any moment from then on: posapp restore --at TIME."""
    settings = Settings.from_env(os.environ)
    journal = _journal(settings)
    with (
        _alarmed(settings, journal, "Base backup"),
        _work(settings) as work,
        work.folder.locked(),
    ):
        made = archive.make_base(work.access, work.folder, journal)
    beat(settings, os.environ, journal.line, "backup-base")
    click.echo(made.path)


@backup.command()
def wal() -> None:
    """Receive whatever is written to the server, until SIGTERM: what a base backup needs."""
    settings = Settings.from_env(os.environ)
    with _work(settings) as work:
        _journal(settings).line(f"Receiving what is written into {work.folder.root / 'wal'}")
        code = archive.receive_wal(work.access, work.folder)
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
        entries = everything(_folder(settings), Bucket.of(settings))
        click.echo(listing(entries, _now()))
        click.echo("\nTo restore one: posapp restore FILE")
        return
    journal = _journal(settings)
    with (
        _alarmed(settings, journal, "Restore", attended=True),
        _work(settings) as work,
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
    entry = archive.as_backup(at or "", work, Folder(scratch), journal)
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


def _folder(settings: Settings) -> Folder:
    return Folder(settings.backup_dir.resolve())


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
    journal = _journal(settings)
    with _alarmed(settings, journal, "Drill"):
        entry = find(file, settings)
        found = drilling.drill(
            entry,
            lambda scratch: at_hand(entry, settings, scratch),
            lambda path: verify_bytes(entry, path),
            lambda: keys.identity(settings.backup_age_identity),
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
    path = folder / report.file_name(found.began)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(report.report(found))
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}; name another folder with --report") from None
    return path


def _written_since(entry: Entry, settings: Settings) -> str:
    """How many rows the live database has that the backup has not: what a disaster would cost."""
    if entry.manifest is None:
        return "not known: the backup has no manifest"
    try:
        with _work(settings) as work:
            now = sum(count_rows(work.access).values())
    except (BackupError, EmbeddedError) as error:
        return f"not known, the live database does not answer: {error}"
    more = now - entry.manifest.rows
    return f"what was written since {clock_time(entry.name.at)}, {more:+d} rows by now"


def _remember(entry: Entry, settings: Settings, now: datetime) -> None:
    """Marks the backup as restored, unless it has been rotated away meanwhile."""
    with _folder(settings).locked(wait=True):
        place = place_of(entry, settings)
        again = next((one for one in place.entries() if one.name == entry.name), None)
        if again is not None and again.manifest is not None:
            place.write_manifest(again, again.manifest.stating(restored_at=now))
