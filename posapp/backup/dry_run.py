"""Tells all that a restore would do, obstacles included, and changes nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from healthkit.fields import format_size
from posapp.backup.context import BackupContext
from posapp.backup.coverage import coverage_of, look_in_bucket, look_in_folder
from posapp.backup.errors import Refused
from posapp.backup.model.backup import Backup, format_local
from posapp.backup.point_in_time import choose, parse_target_time
from posapp.backup.postgres.snapshot import count_rows
from posapp.backup.restore import Asking, doubts, look_ahead

OBSTACLE = "Obstacle: "
"""Before each thing that would have the restore refused."""


def foretell(backup: Backup, context: BackupContext, asking: Asking) -> list[str]:
    """Returns what would happen, a line each. Raises BackupError, where nobody answers too."""
    ahead, live = look_ahead(backup, context, asking), context.client.database
    rows = "rows not known" if backup.manifest is None else f"{backup.manifest.rows} rows"
    found = [
        f"{backup.name}, of {format_local(backup.at)}, {rows}, {format_size(backup.size)}",
        f"It would take the place of {live}, once it is loaded beside it and compared."
        if ahead.live_exists
        else f"It would become {live}, which does not exist yet.",
        f"{live} would be backed up first (pre-restore), and stay under another name."
        if ahead.backs_up
        else "Nothing would be backed up first.",
    ]
    if ahead.own is not None and backup.manifest is not None:
        more = sum(count_rows(context.client).values()) - backup.manifest.rows
        found.append(f"What was written since would be rolled back: {more:+d} rows by now.")
    if ahead.roles:
        found.append(f"Would be created, without passwords: the roles {', '.join(ahead.roles)}.")
    found += [f"Would not be as it was: {one}" for one in ahead.losses]
    obstacles = list(ahead.obstacles)
    if not context.key.has_signed(backup.manifest) and not asking.unsigned:
        obstacles.append("it is not signed by BACKUP_KEY: --unsigned, and its name has to be typed")
    found += [f"{OBSTACLE}{one}" for one in obstacles]
    found += [f"To be confirmed by typing its name: {one}" for one in doubts(backup, ahead.own)]
    return found


def foretell_moment(at: str, context: BackupContext, unsigned: bool = False) -> list[str]:
    """Returns from what a moment would be recovered, here and in the bucket. Raises Refused and
    BackupError."""
    target = parse_target_time(at, context.clock.now())
    with tempfile.TemporaryDirectory() as scratch:
        base, archive = choose(context, target, Path(scratch), unsigned)
        in_bucket = archive is not None and base.path.parent == Path(scratch)
    shown = format_local(target) if target else "the latest moment that is known"
    where = f" in {archive.bucket.location}" if archive and in_bucket else ""
    found = [
        f"{shown} would be recovered on a server of its own, from the base backup of"
        f" {format_local(base.at)}{where} and what was received since; then it is restored like a"
        " backup."
    ]
    if in_bucket and base.manifest is not None:
        found.append(f"It would be fetched first: {format_size(base.manifest.size_bytes)}.")
    try:
        holdings = [look_in_folder(context.storage, None if unsigned else context.key)]
    except OSError as error:
        raise Refused(f"{context.storage.root}: {error.strerror}") from None
    if archive is not None:
        holdings.append(look_in_bucket(archive))
    coverage = coverage_of(*holdings)
    found.append(f"What can be restored: {coverage.describe()}")
    if target is not None and (coverage.known is None or coverage.known.at < target):
        found.append(
            f"{OBSTACLE}that moment is known only if the live server answers, or if more was"
            " received than was noted"
        )
    if coverage.missing:
        found.append(f"{OBSTACLE}segments are missing since the newest base backup")
    return found
