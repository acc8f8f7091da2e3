"""Connections to PostgreSQL whose transactions begin with their limits.

What a transaction is bound by goes to the server with its first statement, in one message, and
holds for this transaction alone. A pooler such as PgBouncer may hand the next one another session,
and refuses options at the start of one; a message of its own would cost each request a round trip.
"""

from __future__ import annotations

from typing import Any

from psycopg2 import InternalError, extensions

STATEMENT_TIMEOUT = 10_000
"""Milliseconds after which the server gives up on a statement."""

LOCK_TIMEOUT = 2_000
"""Milliseconds that a statement waits for a row that another session holds: well below the time
that requests wait for a connection, so that who waits for a row keeps no other from one."""

IDLE_TIMEOUT = 15_000
"""Milliseconds after which the server ends a transaction that says nothing more."""

BEGIN = (
    f"BEGIN; SET LOCAL statement_timeout = {STATEMENT_TIMEOUT};"
    f" SET LOCAL lock_timeout = {LOCK_TIMEOUT};"
    f" SET LOCAL idle_in_transaction_session_timeout = {IDLE_TIMEOUT};"
    " SET LOCAL timezone = 'UTC';"
)


class BoundedCursor(extensions.cursor):
    """Begins a transaction with the first statement that it executes."""

    def execute(self, query: Any, vars: Any = None) -> None:
        super().execute(query if self._begun() else BEGIN + query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        if not self._begun():
            super().execute(BEGIN)
        super().executemany(query, vars_list)

    def _begun(self) -> bool:
        return self.connection.get_transaction_status() != extensions.TRANSACTION_STATUS_IDLE


class BoundedConnection(extensions.connection):
    """The driver's `connection_factory`. It begins no transaction by itself, so that ours can."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.autocommit = True
        self.cursor_factory = BoundedCursor

    def commit(self) -> None:
        """Raises InternalError where an error has undone the transaction: the server takes COMMIT
        for ROLLBACK then, without a word."""
        if (said := self._end("COMMIT")) not in ("COMMIT", None):
            raise InternalError(f"the transaction was undone: {said}")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def _end(self, statement: str) -> str | None:
        """Returns what the server said, or None where there was no transaction."""
        if self.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE:
            return None
        with self.cursor() as cursor:
            cursor.execute(statement)
            return cursor.statusmessage


def commit_with(statement: str, answer: str) -> str:
    """Returns the SQL that executes the last statement of a transaction, commits, and then asks for
    `answer`, the one whose rows come back: in one message, so that what others wait for is held no
    longer than the server needs. Nothing is left for `commit` to do."""
    return f"{statement}; COMMIT; {answer}"


def sqlstate(error: BaseException) -> str:
    """Returns PostgreSQL's code for an error of the driver or of SQLAlchemy, "" for none."""
    return getattr(getattr(error, "orig", error), "pgcode", None) or ""
