"""Transactions begin with their limits, whoever opens them, and end as they say."""

import psycopg2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError, OperationalError

from posapp.database import connection as bounded
from posapp.database.engine import FRESH, open_engine
from posapp.settings import Settings

LIMITS = text(
    "SELECT name, setting FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout',"
    " 'idle_in_transaction_session_timeout', 'TimeZone')"
)
SET = {
    "statement_timeout": str(bounded.STATEMENT_TIMEOUT),
    "lock_timeout": str(bounded.LOCK_TIMEOUT),
    "idle_in_transaction_session_timeout": str(bounded.IDLE_TIMEOUT),
    "TimeZone": "UTC",
}


@pytest.fixture
def engine(database):
    with open_engine(database, Settings(db_max_open_conns=1, db_max_idle_conns=1)) as engine:
        yield engine


def limits(connection):
    return dict(tuple(row) for row in connection.execute(LIMITS))


def test_every_transaction_has_its_limits_and_leaves_none_on_its_session(engine, database):
    with engine.connect() as connection:
        for _ in range(2):
            assert limits(connection) == SET
            connection.commit()
    raw = engine.raw_connection()
    plain = super(bounded.BoundedCursor, raw.cursor())
    plain.execute("SELECT current_setting('lock_timeout')")
    assert plain.fetchone() == ("0",)
    raw.close()


def test_what_was_not_committed_is_not_there(engine):
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO floors (position, name) VALUES (7, 'Atap')"))
        connection.rollback()
        found = connection.scalar(text("SELECT count(*) FROM floors WHERE name = 'Atap'"))
        assert found == 0
        many = [{"name": "Teras 1"}, {"name": "Teras 2"}]
        connection.rollback()
        connection.execute(text("UPDATE floors SET name = :name WHERE position = 99"), many)
        connection.execute(text("INSERT INTO floors (position, name) VALUES (8, 'Atap')"))
        connection.commit()
        connection.rollback()
        assert connection.scalar(text("SELECT position FROM floors WHERE name = 'Atap'")) == 8


def test_many_rows_are_one_transaction_also_as_its_first_statement(engine):
    with engine.connect() as connection:
        connection.execute(
            text("UPDATE floors SET position = :position"), [{"position": 55}, {"position": 56}]
        )
        connection.rollback()
        assert connection.scalar(text("SELECT count(*) FROM floors WHERE position > 50")) == 0


def test_a_commit_of_what_an_error_has_undone_is_an_error(engine):
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        raw = connection.connection.driver_connection
        with pytest.raises(psycopg2.errors.UndefinedTable):
            raw.cursor().execute("SELECT * FROM nowhere")
        with pytest.raises(InternalError, match="undone"):
            connection.commit()
        connection.invalidate()


def test_a_row_that_is_held_is_waited_for_within_the_limit(engine, cursor):
    cursor.execute("BEGIN; SELECT * FROM floors FOR UPDATE")
    with engine.connect() as connection:
        with pytest.raises(OperationalError, match="lock timeout"):
            connection.execute(text("UPDATE floors SET position = position"))
        connection.rollback()
    cursor.execute("ROLLBACK")


def test_a_connection_that_died_while_it_rested_is_replaced_unseen(engine, cursor):
    with engine.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        record = connection.connection._connection_record
        connection.rollback()
    cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    record.info["used"] -= FRESH
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != pid
