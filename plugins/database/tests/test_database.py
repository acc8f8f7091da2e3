import contextlib
import socket
import subprocess
import sys
import textwrap
import threading

import psycopg2
import pytest
from pydantic import ValidationError
from sqlalchemy import NullPool, create_engine, make_url, text

from healthkit import ConfigError, Status, load_settings
from healthkit.fields import parse_database_url
from healthkit_database import Database
from healthkit_database.urls import connect_args


@pytest.fixture
def check_of(postgres):
    made = []

    def make(**keys):
        made.append(Database(**({"url": postgres.text} if "engine" not in keys else {}) | keys))
        return made[-1]

    yield make
    for check in made:
        check.close()


def sessions(postgres) -> int:
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'healthkit'"
    return int(postgres.psql(f"\\t\n{count};").split()[-1])


# What it finds


def test_a_database_that_answers_is_healthy_and_its_own_connection_is_told(check_of, run_check):
    outcome = run_check(check_of())
    assert outcome.status is Status.HEALTHY
    assert outcome.details == {"connection_pool": {"open": 1, "in_use": 0, "idle": 1}}


def test_the_connection_is_kept_between_runs_and_closed_with_the_check(
    postgres, check_of, run_check, until
):
    check = check_of()
    for _ in range(5):
        run_check(check)
    assert sessions(postgres) == 1
    check.close()
    until(lambda: sessions(postgres) == 0)
    assert run_check(check).status is Status.HEALTHY


def test_runs_from_different_threads_share_the_connection(postgres, check_of, run_check):
    check, found = check_of(), []
    for _ in range(3):
        thread = threading.Thread(target=lambda: found.append(run_check(check).status))
        thread.start()
        thread.join()
    assert found == [Status.HEALTHY] * 3
    assert sessions(postgres) == 1


def test_a_live_engine_gives_the_figures_of_its_own_pool(postgres, check_of, run_check):
    engine = create_engine(postgres.url, pool_size=3, max_overflow=2)
    with engine.connect() as a, engine.connect() as b:
        a.execute(text("SELECT 1"))
        b.close()
        outcome = run_check(check_of(engine=engine))
        assert outcome.details["connection_pool"] == {"open": 2, "in_use": 1, "idle": 1}
    engine.dispose()


def test_an_exhausted_pool_does_not_hold_up_the_check(postgres, check_of, run_check):
    engine = create_engine(postgres.url, pool_size=1, max_overflow=1, pool_timeout=60)
    with engine.connect(), engine.connect():
        outcome = run_check(check_of(engine=engine))
        assert outcome.status is Status.HEALTHY
        assert outcome.details["connection_pool"] == {"open": 2, "in_use": 2, "idle": 0}
        warned = run_check(check_of(engine=engine, warn_pool="90%"))
        assert warned.status is Status.DEGRADED
        assert warned.message == "2 of 2 connections of the pool are in use"
        assert warned.details == outcome.details
    assert run_check(check_of(engine=engine, warn_pool="90%")).status is Status.HEALTHY
    engine.dispose()


def test_the_figures_are_read_while_somebody_holds_the_pools_lock(postgres, check_of, run_check):
    engine = create_engine(postgres.url)
    found = []
    thread = threading.Thread(target=lambda: found.append(run_check(check_of(engine=engine))))
    with engine.pool._pool.mutex, engine.pool._overflow_lock:
        thread.start()
        thread.join(timeout=60)
    assert [outcome.status for outcome in found] == [Status.HEALTHY]
    engine.dispose()


@pytest.mark.parametrize(
    ("settings", "pool"),
    [
        ({"pool_size": 0}, {"open": 1, "in_use": 1, "idle": 0}),
        ({"pool_size": 2, "max_overflow": -1}, {"open": 1, "in_use": 1, "idle": 0}),
        ({"poolclass": NullPool}, None),
    ],
)
def test_a_pool_without_limit_is_never_too_full_and_one_that_keeps_none_has_no_figures(
    postgres, check_of, run_check, settings, pool
):
    engine = create_engine(postgres.url, **settings)
    with engine.connect():
        outcome = run_check(check_of(engine=engine, warn_pool="1%"))
    assert outcome.status is Status.HEALTHY
    assert outcome.details.get("connection_pool") == pool
    engine.dispose()


def test_with_an_engine_and_a_url_the_engine_is_asked(postgres, check_of, run_check):
    engine = create_engine(postgres.url)
    check = check_of(engine=engine, url="postgresql://nobody@192.0.2.1/x")
    assert run_check(check).status is Status.HEALTHY
    engine.dispose()


def test_a_query_of_ones_own_is_sent_as_it_is_and_changes_nothing(postgres, check_of, run_check):
    postgres.psql("CREATE TABLE IF NOT EXISTS tries (n int);")
    check = check_of(query="INSERT INTO tries SELECT 1 WHERE 'a:b%s' LIKE 'a:b%'")
    assert run_check(check).status is Status.HEALTHY
    assert run_check(check_of(query="SELECT 1/(1 - count(*)) FROM tries")).status is Status.HEALTHY


# What goes wrong


def test_a_refused_connection_is_told_in_two_words(check_of, run_check):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        outcome = run_check(check_of(url=f"postgresql://pos:sesame@127.0.0.1:{port}/steak"))
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == "connection refused"
    assert outcome.details == {"connection_pool": {"open": 0, "in_use": 0, "idle": 0}}


def test_a_server_that_takes_the_connection_and_says_nothing_is_a_timeout(check_of, run_check):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"postgresql://pos:sesame@127.0.0.1:{mute.getsockname()[1]}/steak"
        assert run_check(check_of(url=url), timeout=1).message == "timeout"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"database": "gone"}, "the database does not exist"),
        ({"username": "gone"}, "the user does not exist"),
        ({"username": "guarded", "password": "wrong"}, "password authentication failed"),
        ({"query": {"host": "/proc/none"}}, "no server listens at its socket"),
        ({"query": {}, "host": "no-such-host.invalid"}, "host name not known"),
    ],
)
def test_a_fault_is_told_without_host_user_database_or_password(
    postgres, check_of, run_check, change, message
):
    if change.get("username") == "guarded":
        postgres.psql("CREATE ROLE guarded LOGIN PASSWORD 'right';")
        postgres.let_in("local all guarded scram-sha-256")
    url = postgres.url.set(**change)
    outcome = run_check(check_of(url=url.render_as_string(hide_password=False)))
    assert (outcome.status, outcome.message) == (Status.UNHEALTHY, message)


def test_a_server_out_of_connections_is_told_as_that(postgres, check_of, run_check):
    crowd = []
    with contextlib.suppress(psycopg2.OperationalError):
        while True:
            crowd.append(psycopg2.connect(host=postgres.url.query["host"], user="postgres"))
    outcome = run_check(check_of())
    for connection in crowd:
        connection.close()
    assert outcome.message == "too many clients"


def test_a_query_that_takes_too_long_is_a_timeout_and_the_next_run_is_right(check_of, run_check):
    check = check_of(query="SELECT pg_sleep(30) WHERE current_setting('statement_timeout') <> '9s'")
    assert run_check(check, timeout=0.2).message == "timeout: the query took too long"
    assert run_check(check, timeout=10).status is Status.HEALTHY


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM secret_table", "the table of the query does not exist"),
        ("SELEKT 1", "failed: SyntaxError"),
    ],
)
def test_a_query_that_fails_names_only_the_kind_of_fault(check_of, run_check, query, message):
    assert run_check(check_of(query=query)).message == message


# SQLite


def test_an_sqlite_file_is_looked_into_and_never_made(tmp_path, check_of, run_check):
    file = tmp_path / "pos.db"
    check = check_of(url=f"sqlite:///{file}")
    assert run_check(check).message == "the file does not exist"
    assert not file.exists()
    file.write_bytes(b"this is no database, though it is long enough to look like one" * 20)
    assert run_check(check).message == "the file is not a database"
    file.write_bytes(b"")
    assert run_check(check).status is Status.HEALTHY
    thread = threading.Thread(target=check.close)
    thread.start()
    thread.join()
    assert run_check(check_of(url="sqlite://")).status is Status.HEALTHY


# Settings


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ({}, "url", "missing; write it like"),
        ({"url": ""}, "url", "missing; write it like"),
        ({"url": "sesame"}, "url", "not a database URL"),
        ({"url": "postgresql://u:sesame@h:port/x"}, "url", "not a database URL"),
        ({"url": "postgrsql://u:sesame@h/x"}, "url", "no database is known as 'postgrsql'"),
        ({"url": "mysql+pymysql://u:sesame@h/x"}, "url", "'pymysql' is not installed"),
        ({"url": "sqlite://", "query": ""}, "query", "at least 1 character"),
        ({"url": "sqlite://", "warn_pool": "9"}, "warn_pool", "is not a share"),
        ({"engine": "sqlite://"}, "engine", "instance of Engine"),
    ],
)
def test_a_mistake_names_its_key_and_shows_no_secret(keys, key, message):
    with pytest.raises(ValidationError) as caught:
        Database(**keys)
    faults = {fault["loc"]: fault["msg"] for fault in caught.value.errors()}
    assert message in faults[(key,)]
    assert not any("sesame" in text for text in faults.values())


def test_a_url_without_a_driver_takes_the_one_that_is_installed():
    for scheme in ("postgres", "postgresql"):
        url = parse_database_url(f"{scheme}://pos:sesame@db.example/steak")
        assert url.drivername == "postgresql+psycopg2"
        assert url.password == "sesame"


def test_the_target_names_the_place_and_no_secret():
    check = Database(url="postgresql://pos:sesame@db.example:6432/steak?sslpassword=open")
    assert check.target() == "postgresql://db.example:6432/steak"
    assert "sesame" not in repr(check)
    assert Database(url="sqlite:///var/x.db").target() == "sqlite:///var/x.db"


def test_the_drivers_bounds_come_from_the_timeout_and_the_urls_own_options_win():
    url = make_url("postgresql+psycopg2://h/x?connect_timeout=9")
    given = connect_args(url, timeout=2.5)
    assert "connect_timeout" not in given
    assert (given["tcp_user_timeout"], given["keepalives_idle"]) == (2500, 2)
    assert connect_args(make_url("postgresql+psycopg2://h/x"), 0.5)["connect_timeout"] == 1


def test_an_engine_is_handed_in_by_the_name_of_its_check():
    document = {"service": {"name": "x"}, "checks": {"database": {"type": "database"}}}
    engine = create_engine("sqlite://")
    live = {"database": {"engine": engine}}
    (configured,) = load_settings(document, environ={}, resources=live).checks
    assert configured.check.engine is engine
    with pytest.raises(ConfigError, match=r"checks\.database\.url: missing"):
        load_settings(document, environ={})
    engine.dispose()


FORK = """
    import os, sys
    from datetime import UTC, datetime
    from healthkit import CheckContext, Status
    from healthkit_database import Database
    from sqlalchemy import create_engine, text

    check = Database(url=sys.argv[1])

    def healthy():
        return check.run(CheckContext("x", datetime.now(UTC), 5.0)).status is Status.HEALTHY

    assert healthy()
    pid = os.fork()
    if pid == 0:
        right = healthy()
        check.close()
        os._exit(0 if right else 1)
    assert os.waitpid(pid, 0)[1] == 0
    with create_engine(sys.argv[1]).connect() as connection:
        ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'healthkit'"
        assert connection.scalar(text(ours)) == 1, "the child ended the parent's session"
    assert healthy()
    check.close()
    print("ok")
"""


def test_a_fork_leaves_the_parents_connection_alone(postgres):
    script = textwrap.dedent(FORK)
    done = subprocess.run(
        [sys.executable, "-c", script, postgres.text], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "ok\n", done.stderr
