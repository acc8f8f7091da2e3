"""What goes wrong with backups, in words for who has to act."""

from __future__ import annotations

from posapp.runtime.errors import CommandError


class BackupError(CommandError):
    """It was tried and has failed; nothing that was there is lost."""

    exit_code = 1


class Refused(BackupError):
    """It was not tried, because of something that the caller can mend."""

    exit_code = 2


class Busy(BackupError):
    """Another run is at it. The exit code is EX_TEMPFAIL of sysexits(3): come back later."""

    exit_code = 75
