"""Describes database errors without naming host, user, database or password."""

from __future__ import annotations

import re

from sqlalchemy.exc import SQLAlchemyError

FAULTS = (SQLAlchemyError, OSError, UnicodeError)
"""What asking a database raises; psycopg2 cannot decode what some strangers answer."""

_DESCRIPTIONS = (
    # The server's own texts come before those of the network: where a name has several
    # addresses, libpq reports each.
    (r"password authentication failed|no password supplied", "password authentication failed"),
    (r"too many (clients|connections)|remaining connection slots", "too many clients"),
    (r"no pg_hba\.conf entry|pg_hba\.conf rejects", "the server does not admit this client"),
    (r'role ".*" does not exist', "the user does not exist"),
    (r'database ".*" does not exist', "the database does not exist"),
    (r'relation ".*" does not exist|no such table', "the table of the query does not exist"),
    (r"system is starting up|recovery mode|not yet accepting", "the server is starting up"),
    (r"system is shutting down|administrator command", "the server is shutting down"),
    (r"statement timeout", "timeout: the query took too long"),
    (r"permission denied for", "permission denied"),
    (r"does not support ssl", "the server does not support TLS"),
    (r"certificate", "the server's certificate is not trusted"),
    (r"file is not a database", "the file is not a database"),
    (r"disk image is malformed", "the file is damaged"),
    (r"database is locked", "the database is locked"),
    (r"unable to open database file", "the file cannot be opened"),
    (
        r"server closed the connection|connection (was )?(reset|closed|lost)|ssl syscall",
        "connection lost",
    ),
    (r"timeout expired|timed out|timeout", "timeout"),
    (r"could not translate host name|name or service not known", "host name not known"),
    (r"no route to host", "no route to the host"),
    (r"network is unreachable", "no route to the network"),
    (r"connection refused|can't connect", "connection refused"),
    (r"no such file or directory", "no server listens at its socket"),
)


def describe_error(error: Exception) -> str:
    """Returns a short text for people. An error that the table lacks is named by its kind alone:
    a driver's own text shows strangers where the database is and who reads it."""
    if isinstance(error, FileNotFoundError):
        return "the file does not exist"
    if isinstance(error, UnicodeError):
        return "what answers is no database"
    cause = getattr(error, "orig", None) or error
    text = str(cause).lower()
    for pattern, described in _DESCRIPTIONS:
        if re.search(pattern, text):
            return described
    return f"failed: {type(cause).__name__}"
