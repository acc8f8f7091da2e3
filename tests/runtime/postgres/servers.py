"""An embedded server that a test uses, holds and asks."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg2
import pytest

from posapp.runtime.postgres import (
    DataDirectory,
    EmbeddedPostgresError,
    use_embedded_database,
)

HOLD = """
import sys
from pathlib import Path
from posapp.runtime.postgres import BIN_DIR, EmbeddedPostgresError, use_embedded_database
try:
    with use_embedded_database(Path(sys.argv[1])) as url:
        print(url, flush=True)
        sys.stdin.read() if len(sys.argv) > 2 else None
except EmbeddedPostgresError as error:
    sys.exit(str(error))
"""


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do this")


def query(url, statement):
    connection = psycopg2.connect(
        host=url.query["host"], user=url.username, dbname=url.database, port=url.query["port"]
    )
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None
    finally:
        connection.close()


def postmaster(data_dir):
    found = DataDirectory(Path(data_dir).resolve()).postmaster()
    return psutil.Process(found.pid) if found else None


def hold(data_dir):
    """A process that uses the server until its standard input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir), "hold"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def refusal(data_dir):
    with pytest.raises(EmbeddedPostgresError) as caught, use_embedded_database(data_dir):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)
