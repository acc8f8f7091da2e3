"""Recovers a server to a moment from a base backup and WAL, and proves that it was reached.

PostgreSQL itself says whether a moment was reached: it must meet a commit that is later. So that
there is one in a quiet hour too, whoever receives WAL, and whoever restores, commits a mark on the
live server: a message in WAL alone. Recovery that ends before one is no answer: something is
missing, or was never received.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from healthkit import Clock
from posapp.backup import room
from posapp.backup.base_archive import size_of, unpack_base
from posapp.backup.context import RunLog
from posapp.backup.errors import BackupError
from posapp.backup.model.backup import format_local
from posapp.backup.model.base import DEFAULT_SEGMENT, SEGMENT
from posapp.backup.model.manifest import as_utc
from posapp.backup.postgres.client import PostgresClient, query
from posapp.backup.postgres.slot import SLOT
from posapp.backup.received import BEFORE_GAP, segment_number
from posapp.backup.signed_copy import UNSIGNED
from posapp.backup.wal_signing import Plan, WalKey, make_plan
from posapp.runtime import postgres
from posapp.runtime.files import write_atomically
from posapp.runtime.postgres import DataDirectory, EmbeddedPostgresError
from posapp.runtime.scratch import scratch_folder

KNOWN = "known-until.json"
_LARGEST_KNOWN = 4096
RECEIPT_LIMIT = 10.0
"""Seconds in which what was committed has to be received."""
_ENDED_EARLY = b"recovery ended before configured recovery target was reached"
_LAST = re.compile(rb"last completed transaction was at log time (\S++ \S++)")
_REFUSED = f": {UNSIGNED}".encode()
_HBA = "local all all trust\n"
"""For the scratch server alone: its socket lies in a folder that only this user may enter."""
_SCRATCH = {
    "hot_standby": "off",  # on, it would insist on the other server's limits
    "archive_mode": "off",
    "ssl": "off",
    "fsync": "off",
    "lc_messages": "C",
}
_SIGNED_WITHIN = 5.0
"""Seconds in which what was received has to be signed."""


@dataclass(frozen=True)
class Mark:
    """A commit on the live server: when by its clock, where in its WAL, and which server it is."""

    at: datetime
    lsn: int
    system: str

    def dump(self, key: WalKey | None = None) -> bytes:
        """Returns it as JSON, signed where there is a key."""
        mark = {"at": self.at.isoformat(), "lsn": self.lsn, "system": self.system}
        signature = {"signature": key.key.sign_text(self._text)} if key else {}
        return json.dumps({**mark, **signature}).encode() + b"\n"

    @classmethod
    def parse(cls, text: bytes, key: WalKey | None = None) -> Mark | None:
        """Returns the mark in a JSON text; None for any other, and with a key for one that it has
        not signed."""
        with suppress(
            ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError
        ):
            read = json.loads(text)
            at = as_utc(datetime.fromisoformat(read["at"]))
            found = cls(at, int(read["lsn"]), str(read["system"]))
            signature = str(read.get("signature", ""))
            if key is None or key.key.has_signed_text(found._text, signature):
                return found
        return None

    @property
    def _text(self) -> str:
        return f"known {self.system} {self.lsn} {self.at.isoformat()}"


@dataclass(frozen=True)
class Recovered:
    """A server as it was; `at` is the moment that it shows, None where nothing was ever written."""

    client: PostgresClient
    at: datetime | None


def mark(client: PostgresClient) -> Mark:
    """Commits a mark. Raises BackupError, also where the server is itself a copy of another."""
    with client.connect() as connection:
        # In a transaction of its own: the statement commits, and only then its place is asked.
        query(connection, "SELECT pg_logical_emit_message(true, 'posapp', 'known until here')")
        at, lsn, system = query(
            connection,
            "SELECT clock_timestamp(), pg_current_wal_lsn() - '0/0',"
            " (SELECT system_identifier FROM pg_control_system())",
        )[0]
        return Mark(at.astimezone(UTC), int(lsn), str(system))


def received(client: PostgresClient, until: Mark, clock: Clock) -> bool:
    """Waits until a mark has been received; whether it was within `RECEIPT_LIMIT`."""
    end = clock.monotonic() + RECEIPT_LIMIT
    with client.connect() as connection:
        while True:
            rows = query(
                connection,
                "SELECT restart_lsn - '0/0' FROM pg_replication_slots"
                " WHERE slot_name = %s AND active",
                SLOT,
            )
            if rows and rows[0][0] is not None and rows[0][0] >= until.lsn:
                return True
            if not rows or clock.monotonic() > end:
                return False
            clock.sleep(0.05)


def note_known(
    client: PostgresClient,
    wal: Path,
    clock: Clock,
    key: WalKey | None = None,
    keep: Callable[[int], None] = lambda flushed: None,
) -> bool:
    """Writes down until when all is known: a mark that has been received, and that `keep` has kept
    up to its place. False where it was not. Raises BackupError and OSError."""
    made = mark(client)
    if not received(client, made, clock):
        return False
    keep(made.lsn)
    write_atomically(wal / KNOWN, made.dump(key))
    return True


def known_until(wal: Path, key: WalKey | None = None) -> Mark | None:
    """Returns the last mark that is known to have been received, and with a key is signed by it;
    None where there is none."""
    with suppress(OSError), (wal / KNOWN).open("rb") as file:
        return Mark.parse(file.read(_LARGEST_KNOWN), key)
    return None


def mark_live(client: PostgresClient, log: RunLog) -> Mark | None:
    """Commits a mark on the live server, and waits until it has been received. None where that
    server does not answer: what was received has to speak for itself."""
    try:
        made = mark(client)
        if not received(client, made, log.clock):
            log.write("Nothing receives what the live server writes: is receive-wal running?")
        return made
    except BackupError as error:
        log.write(f"The live server does not answer: {error}")
        return None


@dataclass(frozen=True)
class Received:
    """Where recovery finds what was received; `identity` is the file of the key that opens it."""

    wal: Path
    receiving: Path | None = None
    """Where the newest lies while `wal` has only packed ones."""
    fetched: Path | None = None
    """What was fetched from the bucket."""
    identity: Path | None = None
    key: WalKey | None = None
    """What it has not signed is not given to a server; None: all is."""
    segment_bytes: int = DEFAULT_SEGMENT

    @property
    def folders(self) -> list[Path]:
        """The folders in which it lies."""
        found = (self.wal, self.wal / BEFORE_GAP, self.receiving, self.fetched)
        return [folder for folder in found if folder is not None and folder.is_dir()]


@contextmanager
def recovered(
    base: Path, wal: Path | Received, target: datetime | None, live: Mark | None, log: RunLog
) -> Iterator[Recovered]:
    """Runs the server as it was at a moment (None: the latest), from a base backup and the folder
    of received WAL. `live` is a mark that must have been received.

    Raises BackupError, also where that moment is not known for certain.
    """
    found = wal if isinstance(wal, Received) else Received(wal)
    with _refusing(), scratch_folder("posapp-recover-") as scratch:
        data = DataDirectory(scratch)
        room.require([room.Need(scratch, size_of(base), "the recovered server")], None)
        unpack_base(base, data.data, found.identity)
        # Before the plan: what is received and noted while it recovers is not in that.
        marks = [live, *(known_until(folder, found.key) for folder in found.folders)]
        plan = _plan(found, scratch, live, log.clock)
        log.write(f"Recovering {base.name}")
        _configure(data.data, plan, found.identity, target)
        with _started(data, target) as client:
            last = _last_commit(client)
            if target is None:
                _require_all(client, data.data, plan, [one for one in marks if one], last)
            yield Recovered(client, target or last)


@contextmanager
def _refusing() -> Iterator[None]:
    """Raises BackupError for what the embedded server refuses."""
    try:
        yield
    except EmbeddedPostgresError as error:
        raise BackupError(str(error)) from None


@contextmanager
def _started(data: DataDirectory, target: datetime | None) -> Iterator[PostgresClient]:
    try:
        server = postgres.use_embedded_database(data.root, _SCRATCH)
        url = server.__enter__()
    except EmbeddedPostgresError:
        text = data.log.read_bytes()
        if refused := next((line for line in text.splitlines() if _REFUSED in line), None):
            file = refused.partition(_REFUSED)[0].decode(errors="replace")
            raise BackupError(
                f"{file}: {UNSIGNED}: it is not ours, is from before"
                " it was signed, or was changed; nothing was changed. --unsigned takes it all the"
                " same, after a typed confirmation"
            ) from None
        if target is None or _ENDED_EARLY not in text:
            raise
        raise BackupError(_not_known(target, _LAST.findall(text))) from None
    try:
        yield PostgresClient(url)
    finally:
        server.__exit__(None, None, None)


def _not_known(target: datetime, times: list[bytes]) -> str:
    last = "nothing that was written after the base backup is known"
    if times:
        at = datetime.fromisoformat(times[-1].decode())
        last = f"what was received, without a gap, ends with what was written at {format_local(at)}"
    return (
        f"the state of {format_local(target)} is not known: {last}; nothing was changed."
        " Is posapp backup receive-wal running, and is all of BACKUP_DIR/wal there?"
    )


def _last_commit(client: PostgresClient) -> datetime | None:
    with client.connect() as connection:
        at: datetime | None = query(connection, "SELECT pg_last_xact_replay_timestamp()")[0][0]
        return at.astimezone(UTC) if at else None


def _require_all(
    client: PostgresClient,
    data: Path,
    plan: Plan,
    noted: list[Mark],
    last: datetime | None,
) -> None:
    """Raises BackupError where more is known to have been written than was reached."""
    end = _end_of_recovery(data)
    with client.connect() as connection:
        system, size = query(
            connection,
            "SELECT (SELECT system_identifier FROM pg_control_system()),"
            " pg_size_bytes(current_setting('wal_segment_size'))",
        )[0]
    marks = [one for one in noted if one.system == str(system)]
    beyond = [one.at for one in marks if one.lsn > end]
    if beyond or _segments_beyond(plan, end, size):
        reached = f"at {format_local(last)}" if last else "before the base backup ended"
        more = f", and more was written, at {format_local(max(beyond))}" if beyond else ""
        raise BackupError(
            f"the latest is not known: what was received, without a gap, ends with what was written"
            f" {reached}{more}; nothing was changed. Name a moment before that with --at"
        )


def _end_of_recovery(data: Path) -> int:
    """Returns the position at which a promoted server has ended its recovery."""
    newest = max((data / "pg_wal").glob("*.history"), key=lambda path: path.name)
    lines = [line.split() for line in newest.read_text().splitlines() if line.strip()]
    return _lsn(lines[-1][1])


def _lsn(text: str) -> int:
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def _segments_beyond(plan: Plan, end: int, size: int) -> bool:
    """Whether segments were received that lie wholly behind a gap. One more than was reached is
    none: it may hold the rest of a record that was still being received."""
    found = {segment_number(name, size) for name in plan.copies if SEGMENT.fullmatch(name)}
    here = end // size
    later = {number for number in found if number > here}
    return bool(later) and (max(later) > here + 1 or (here not in found and end % size != 0))


def _plan(found: Received, scratch: Path, live: Mark | None, clock: Clock) -> Plan:
    """Returns what the server may have. Whoever receives has a moment to sign what came last."""
    found.wal.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = scratch / "partial"
    kept.mkdir()
    end = clock.monotonic() + _SIGNED_WITHIN
    while True:
        plan = make_plan(found.folders, found.key, kept, found.segment_bytes)
        enough = live is None or found.key is None or plan.reaches(live.lsn)
        if enough or clock.monotonic() > end:
            return plan
        clock.sleep(0.2)


def _configure(data: Path, plan: Plan, identity: Path | None, target: datetime | None) -> None:
    """Configures PostgreSQL to recover to the target at its start, from the received WAL. Paths are
    relative to the data: nothing in a folder's name means anything to a shell."""
    (data.parent / "plan.json").write_bytes(plan.dump(identity))
    program = shlex.join([sys.executable, "-P", "-m", "posapp.backup.fetching", "../plan.json"])
    (data.parent / "fetch").write_text(f'exec {program} "$1" "$2"\n')
    lines = [
        "restore_command = 'sh ../fetch %f %p'",
        "recovery_target_action = 'promote'",
        f"recovery_target_time = '{target.isoformat() if target else ''}'",
        "primary_conninfo = ''",
    ]
    (data / "postgresql.auto.conf").write_text("\n".join(lines) + "\n")
    (data / "pg_hba.conf").write_text(_HBA)
    (data / "recovery.signal").touch()
