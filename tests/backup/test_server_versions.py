"""What may be backed up can be restored there: PostgreSQL 15 of Debian, by newer programs."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from healthkit.testing import wait_until
from posapp.backup.base_backup import create_base_backup
from posapp.backup.drill import drill
from posapp.backup.drill_report import report
from posapp.backup.errors import Refused
from posapp.database.schema import upgrade
from posapp.runtime.child import child_command
from tests.backup.kit import context_on, make, restore, run_sql, settings_of, verify

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def debian(need):
    """A server of Debian's version, with the POS in it."""
    need(str(PROGRAMS / "postgres"))
    folder = Path(tempfile.mkdtemp(prefix="pos-15-"))
    user = None
    if os.geteuid() == 0:
        entry = pwd.getpwnam("postgres")
        user = (entry.pw_uid, entry.pw_gid)
        os.chown(folder, *user)
    data = folder / "data"
    init = [str(PROGRAMS / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-N"]
    made = subprocess.run(child_command(init, signal.SIGKILL, user), capture_output=True, cwd="/")
    assert made.returncode == 0, made.stderr
    options = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    serve = [str(PROGRAMS / "postgres"), "-D", str(data), *settings]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            child_command(serve, signal.SIGINT, user), stdout=log, stderr=log, cwd="/"
        )
    try:
        wait_until(lambda: (folder / ".s.PGSQL.5432").exists() or server.poll(), 30)
        query = {"host": str(folder), "port": "5432"}
        url = URL.create("postgresql+psycopg2", "postgres", database="postgres", query=query)
        wait_until(lambda: answers(url), 30)
        run_sql(
            url,
            "CREATE DATABASE steak_kenangan TEMPLATE template0 ENCODING 'UTF8'"
            " LOCALE_PROVIDER icu ICU_LOCALE 'id-ID' LC_COLLATE 'C' LC_CTYPE 'C'",
        )
        upgrade(url.set(database="steak_kenangan"))
        yield url.set(database="steak_kenangan")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def answers(url):
    try:
        return run_sql(url, "SELECT 1")
    except Exception:
        return False


@pytest.mark.deep
def test_an_older_server_is_backed_up_verified_restored_and_drilled(debian, tmp_path, log):
    context = context_on(debian, tmp_path, log)
    made = make("daily", context)
    assert made.manifest.server_version.startswith("15.")
    verify(made, settings_of(tmp_path))
    identity = run_sql(debian, "SELECT identity FROM installation")
    sorting = (
        "SELECT datlocprovider, daticulocale FROM pg_database WHERE datname = 'steak_kenangan'"
    )
    assert run_sql(debian, sorting) == [("i", "id-ID")]
    run_sql(debian, "CREATE TABLE later (x int)")
    restore(made, context)
    assert run_sql(debian, "SELECT to_regclass('later')") == [(None,)]
    assert run_sql(debian, "SELECT identity FROM installation") == identity
    assert run_sql(debian, sorting) == [("i", "id-ID")]
    drilled = drill(made, context)
    assert drilled.issue is None
    assert "- Left unproven: restored on PostgreSQL 18; the live server is 15" in report(drilled)
    assert "the server cannot sort by id-ID (icu)" in drilled.unproven


def test_a_copy_of_files_that_no_program_here_can_recover_is_refused(debian, tmp_path, log):
    context = context_on(debian, tmp_path, log)
    with context.storage.lock() as lock, pytest.raises(Refused, match="need the same version"):
        create_base_backup(context, lock)
