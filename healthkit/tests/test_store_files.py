"""The files of a store on SQLite, which several processes and several stores of one use."""

import sqlite3
import subprocess
import sys

import pytest

from healthkit._store.database import Store

READ = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT version FROM healthkit_schema").fetchall()
connection.close()
"""


@pytest.mark.parametrize("act", ["reading", "transaction"])
def test_a_second_store_of_one_process_takes_no_lock_from_the_first(tmp_path, act):
    """Whoever closes a file lets go of all locks that its process holds on it: another process then
    removed the log from under those who used it, and the store was malformed."""
    file = tmp_path / "healthkit.db"
    first = Store(f"sqlite:///{file}")
    with getattr(first, act)() as connection:
        connection.exec_driver_sql("SELECT version FROM healthkit_schema").fetchall()
        Store(f"sqlite:///{file}").close()
        subprocess.run([sys.executable, "-c", READ, file], check=True, timeout=60)
        assert file.with_name("healthkit.db-wal").exists()
    with sqlite3.connect(file) as again:
        assert again.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_others_may_read_is_its_owners_alone_once_it_is_opened(tmp_path):
    file = tmp_path / "healthkit.db"
    file.touch(0o644)
    Store(f"sqlite:///{file}").close()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_new_file_is_its_owners_alone(tmp_path):
    Store(f"sqlite:///{tmp_path}/new/healthkit.db").close()
    assert (tmp_path / "new" / "healthkit.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
