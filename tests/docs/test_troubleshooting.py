"""Each case of the runbook is brought about, and its first command shows the cause."""

import os
import shlex
import socket
import ssl
import sys
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest
import trustme
from werkzeug.serving import make_server

from healthkit.testing import wait_until
from posapp.app import create_api
from posapp.http import frontend
from posapp.settings import Settings
from tests.docs.runbook import blocks, run
from tests.till import SECRET

CASES = {one.heading: one.code for one in blocks() if one.mark == "cause"}
BIN = Path(sys.executable).parent
CHECKS = """
[service]
name = "x"
[store]
url = "sqlite:///{folder}/healthkit.db"
[checks.database]
type = "database"
url = "${{DATABASE_URL}}"
timeout = "3s"
[checks.migrations]
type = "pos-migrations"
url = "${{DATABASE_URL}}"
depends_on = ["database"]
[checks.clock]
type = "pos-clock"
url = "${{DATABASE_URL}}"
depends_on = ["database", "migrations"]
[checks.books]
type = "pos-books"
url = "${{DATABASE_URL}}"
depends_on = ["database", "migrations"]
[checks.disk]
type = "disk"
path = "${{POS_DATA_DIR}}"
warn = "99%"
fail = "99.5%"
{more}
"""


@pytest.fixture
def seen(command, need, tmp_path, database):
    """`seen(case, more="", NAME="value")`: what its first commands print on a POS whose
    healthkit.toml has `more`. Those of posapp run in this process, which spares their start."""
    (tmp_path / "data").mkdir()

    def look(case, more="", url="http://127.0.0.1:8080", **variables):
        config = tmp_path / "healthkit.toml"
        config.write_text(CHECKS.format(folder=tmp_path, more=more))
        environ = {
            "HEALTHKIT_CONFIG": str(config),
            "DATABASE_URL": address(database),
            "DB_MAX_OPEN_CONNS": "5",
            "JWT_SECRET": SECRET,
            "POS_DATA_DIR": str(tmp_path / "data"),
            "BACKUP_DIR": str(tmp_path / "backups"),
            "BACKUP_LOG": str(tmp_path / "backup.log"),
            **variables,
        }
        found = ""
        for line in CASES[case].splitlines():
            words = shlex.split(line)
            if words[0] == "posapp" and words[1] != "healthkit":
                done = command(*words[1:], **environ)
            else:
                need("bash", "curl")
                path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
                done = run(line, tmp_path, {"PATH": path, "HOME": str(tmp_path), **environ}, url)
            found += done.stdout + done.stderr
        return found

    return look


def address(url):
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def closed():
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def with_own_database(postgres, template_database, name, statement=None):
    url = postgres.create(name, template_database)
    try:
        if statement:
            with closing(psycopg2.connect(address(url))) as connection:
                with connection.cursor() as cursor:
                    cursor.execute(statement)
                connection.commit()
        yield address(url)
    finally:
        postgres.drop(name)


def test_every_case_of_the_book_is_brought_about_here():
    source = Path(__file__).read_text()
    assert [heading for heading in CASES if f'seen("{heading}"' not in source] == []
    assert len(CASES) >= 11


def test_with_nothing_wrong_no_case_is_seen(seen):
    assert seen("2. Slow Performance") == "Nothing is wrong.\n"


def test_a_server_that_does_not_answer(seen, closed):
    backend = f'[checks.web]\ntype = "http"\nlabel = "Backend Health"\nurl = "http://{closed}/"\n'
    found = seen("1. Service Down", backend)
    assert f"service: Backend Health (http://{closed}/): connection refused" in found


@pytest.mark.deep
def test_a_statement_that_holds_what_others_wait_for(seen, database):
    """The one who holds it is named, to be ended."""
    lock = "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"
    with (
        closing(psycopg2.connect(address(database))) as holder,
        closing(psycopg2.connect(address(database))) as waiting,
        closing(psycopg2.connect(address(database))) as asking,
    ):
        asking.autocommit = True
        holder.cursor().execute(lock)
        thread = threading.Thread(target=lambda: waiting.cursor().execute(lock))
        thread.start()

        def waits():
            with asking.cursor() as cursor:
                cursor.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND query_start < now() - interval '1 second'"
                )
                return cursor.fetchone()

        wait_until(waits, 60)
        try:
            found = seen("2. Slow Performance", "")
        finally:
            pid = holder.info.backend_pid
            holder.rollback()
            thread.join()
            waiting.rollback()
    assert "1 statements wait for a lock" in found
    assert f"held by pid {pid}" in found
    assert "pg_terminate_backend" in found


def test_a_database_that_refuses(seen, closed):
    found = seen("3. Database Connection Errors", DATABASE_URL=f"postgresql://pos@{closed}/pos")
    assert found.startswith("database: connection refused")


def test_a_database_that_has_no_connection_left(seen, postgres, template_database):
    with with_own_database(postgres, template_database, "crowded") as url:
        postgres.execute("ALTER DATABASE crowded CONNECTION LIMIT 0")
        postgres.execute("CREATE ROLE waiter_of_tests LOGIN")
        other = url.replace("postgres@", "waiter_of_tests@")
        found = seen("3. Database Connection Errors", DATABASE_URL=other)
        postgres.execute("DROP ROLE waiter_of_tests")
    assert found.startswith("database: too many clients")


def test_a_pool_that_does_not_fit(seen):
    found = seen("3. Database Connection Errors", DB_MAX_OPEN_CONNS="90")
    assert found.startswith("pool: 1 backends of 2 workers")
    assert "set DB_MAX_OPEN_CONNS=" in found


@pytest.mark.parametrize(
    ("ends", "words"), [(timedelta(days=3), "2 days"), (timedelta(days=-2), "expired")]
)
def test_a_certificate_that_ends(seen, tmp_path, ends, words):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ending = datetime.now(UTC) + ends
    begins = ending - timedelta(days=60)
    authority.issue_cert("localhost", not_before=begins, not_after=ending).configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=greet, args=(listener, context), daemon=True).start()
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        more = (
            f'[checks.certificate]\ntype = "ssl-expiry"\nhost = "{host}"\n'
            f'server_name = "localhost"\nca_file = "{tmp_path}/ca.pem"\n'
        )
        found = seen("4. SSL Certificate Expiry", more)
    assert found.startswith("certificate: ")
    assert words in found


def greet(listener, context):
    """Shows its certificate to everybody until the listener closes."""
    while True:
        try:
            connection, _ = listener.accept()
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)
        except ssl.SSLError:
            continue
        except OSError:
            return


def test_a_schema_of_the_version_before(seen, postgres, template_database):
    old = "UPDATE alembic_version SET version_num = '0010'"
    with with_own_database(postgres, template_database, "old_case", old) as url:
        found = seen("Health endpoint returns 503", DATABASE_URL=url)
    assert found.startswith("migrations: the database has 0010")
    assert "posapp db upgrade" in found


def test_pages_that_were_never_built(seen, tmp_path, monkeypatch):
    monkeypatch.setattr(frontend, "DIST", tmp_path / "nothing")
    app = create_api(Settings.from_env({"POS_DATA_DIR": str(tmp_path / "data")}))
    server = make_server("127.0.0.1", 0, app)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        found = seen("Frontend shows blank page", url=f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
    assert "The front end has not been built yet: make web" in found


ORDER = (
    "INSERT INTO orders (number, business_date, type, status, subtotal, discount, service_charge,"
    " tax, rounding, total, paid, created_by, created_at) VALUES"
    " (9999, current_date, 'takeaway', 'open', 0, 0, 0, 0, 0, 0, {paid}, 1, {at})"
)


def test_a_clock_that_is_behind(seen, postgres, template_database):
    ahead = ORDER.format(paid=0, at="now() + interval '3 days'")
    with with_own_database(postgres, template_database, "clock_case", ahead) as url:
        found = seen("JWT token expired errors", DATABASE_URL=url)
    assert found.startswith("clock: ")
    assert "the newest row" in found
    assert "timedatectl" in found


def test_books_that_somebody_went_past(seen, postgres, template_database):
    wrong = "SET session_replication_role = replica; " + ORDER.format(paid=0, at="now()")
    payment = (
        "; INSERT INTO payments (order_id, method, amount, tendered, change, business_date,"
        " receipt_number, created_by, created_at)"
        " SELECT id, 'qris', 1, 1, 0, current_date, 2, 1, now() FROM orders"
    )
    with with_own_database(postgres, template_database, "books_case", wrong + payment) as url:
        found = seen("The books do not add up", DATABASE_URL=url)
    assert found.startswith("books: ")
    assert "posapp audit" in found


def test_a_disk_that_is_full(seen, small_disk):
    folder = small_disk(4)
    (folder / "film").write_bytes(b"x" * (4 * 1024 * 1024 - 8192))
    found = seen("The disk is full", POS_DATA_DIR=str(folder))
    assert found.startswith("disk: ")
    assert "% used" in found


@pytest.mark.deep
def test_a_watcher_that_does_not_run_and_a_channel_that_fails(seen, closed):
    more = (
        '[checks.alerting]\ntype = "alerting"\n'
        f'[channels.telegram]\nurl = "json://{closed}"\n[routes.high]\nchannels = ["telegram"]\n'
    )
    found = seen("An alert does not arrive", more)
    assert "channels: no watcher runs" in found
    (line,) = [one for one in found.splitlines() if one.startswith("telegram")]
    assert "sent" not in line.split()


def test_a_sentry_that_is_not_there(seen, closed):
    found = seen("Sentry is silent", SENTRY_DSN=f"http://key@{closed}/1")
    assert found.startswith("sentry: connection refused")
    assert "SENTRY_DSN" in found


def test_a_dsn_that_is_none(seen):
    assert seen("Sentry is silent", SENTRY_DSN="sentry").startswith("SENTRY_DSN: not a Sentry DSN")


def test_a_backup_that_is_cut(seen, command, database, tmp_path):
    backups = tmp_path / "backups"
    made = command(
        "backup",
        "daily",
        DATABASE_URL=address(database),
        BACKUP_DIR=str(backups),
        POS_DATA_DIR=str(tmp_path / "data"),
        HEALTHKIT_STORE="sqlite://",
        BACKUP_LOG=str(tmp_path / "backup.log"),
    )
    assert made.returncode == 0, made.stderr
    (file,) = (backups / "daily").glob("*.dump.gz")
    file.write_bytes(file.read_bytes()[:-100])
    more = f'[checks.backup]\ntype = "pos-backup"\nlocation = "{backups}/daily"\nmin_size = "1KB"\n'
    found = seen("A restore fails", more)
    assert found.startswith("backups: the newest backup is cut: ")
    assert file.name in found.partition("NAME")[2]
