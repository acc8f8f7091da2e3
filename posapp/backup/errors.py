"""Errors of backups; each message says what failed and how to fix it."""

from __future__ import annotations

from posapp.runtime.errors import CommandError


class BackupError(CommandError):
    """A run failed; no backup and no live database is lost by it."""

    exit_code = 1


class Refused(BackupError):
    """Refused before anything changed; the message says how to fix it."""

    exit_code = 2


class Busy(BackupError):
    """Another run holds the lock. The exit code is EX_TEMPFAIL of sysexits(3): try again later."""

    exit_code = 75
    since: float | None = None
    """When the other run took the lock, in seconds since the epoch."""
