"""The POS's own checks, on a real database."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from healthkit import Role, Status, load_settings
from posapp.operations.health import Books, Migrations, PosClock
from posapp.runtime import processes


def address(url):
    return SecretStr(url.render_as_string(hide_password=False))


@pytest.fixture
def revision(cursor):
    """Sets the revision that the database claims, and takes it back."""

    def claim(name):
        cursor.execute("UPDATE alembic_version SET version_num = %s", [name])

    cursor.execute("SELECT version_num FROM alembic_version")
    (head,) = cursor.fetchone()
    yield claim
    claim(head)


def test_a_schema_at_head_is_healthy_and_told_with_its_tables(database, run_check):
    outcome = run_check(Migrations(url=address(database)))
    assert outcome.status is Status.HEALTHY
    assert outcome.details["tables"] >= 15


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_the_address_may_be_written_as_hosts_write_it(database, run_check, scheme):
    plain = address(database).get_secret_value().partition("://")[2]
    outcome = run_check(Migrations(url=SecretStr(f"{scheme}://{plain}")))
    assert outcome.status is Status.HEALTHY, outcome.message


def test_a_newer_schema_is_degraded_so_that_a_rollback_stays_on_the_load_balancer(
    database, run_check, revision
):
    revision("9999")
    outcome = run_check(Migrations(url=address(database)))
    assert outcome.status is Status.DEGRADED
    assert "9999, newer than" in outcome.message


def test_a_database_without_a_schema_says_what_to_do(postgres, run_check):
    url = postgres.create("bare_schema")
    outcome = run_check(Migrations(url=address(url)))
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message.endswith("posapp db upgrade")
    postgres.drop("bare_schema")


@pytest.mark.parametrize("check", [Migrations, Books, PosClock])
def test_a_database_that_is_away_is_unhealthy_in_a_few_words(run_check, check):
    url = make_url("postgresql+psycopg2://pos:hush@127.0.0.1:1/pos")
    outcome = run_check(check(url=address(url)))
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == "connection refused"


def test_books_that_add_up_are_healthy_and_a_gap_is_not(database, run_check, cursor):
    books = Books(url=address(database))
    assert run_check(books).status is Status.HEALTHY
    cursor.execute("ALTER TABLE payments DISABLE TRIGGER pos_counts")
    cursor.execute(
        "INSERT INTO orders (number, business_date, type, status, subtotal, discount,"
        " service_charge, tax, rounding, total, paid, created_by, created_at)"
        " VALUES (1, current_date, 'takeaway', 'open', 0, 0, 0, 0, 0, 0, 0, 1, now())"
    )
    cursor.execute(
        "INSERT INTO payments (order_id, method, amount, tendered, change, business_date,"
        " receipt_number, created_by, created_at)"
        " SELECT id, 'qris', 1, 1, 0, current_date, 2, 1, now() FROM orders"
    )
    outcome = run_check(books)
    assert outcome.status is Status.UNHEALTHY
    assert "receipt numbers have a gap" in outcome.message
    assert "1 orders whose payments do not add up" in outcome.message


@pytest.mark.parametrize(
    ("off", "status", "words"),
    [
        (timedelta(0), Status.HEALTHY, None),
        (timedelta(minutes=-5), Status.DEGRADED, "behind by 5 minutes"),
        (timedelta(minutes=5), Status.DEGRADED, "ahead of the database's by"),
        (timedelta(hours=-30), Status.UNHEALTHY, "nothing is sold without a manager's word"),
        (timedelta(days=-20_000), Status.UNHEALTHY, "behind by 20000 days"),
    ],
    ids=["right", "behind", "ahead", "a day behind", "1972"],
)
def test_a_clock_is_compared_with_the_databases(database, run_check, off, status, words):
    outcome = run_check(PosClock(url=address(database)), now=datetime.now(UTC) + off)
    assert outcome.status is status, outcome.message
    assert words is None or words in outcome.message


def test_a_clock_behind_the_newest_row_is_told_although_the_database_agrees_with_it(
    database, run_check, cursor
):
    cursor.execute(
        "INSERT INTO orders (number, business_date, type, status, subtotal, discount,"
        " service_charge, tax, rounding, total, paid, created_by, created_at) VALUES"
        " (9999, current_date, 'takeaway', 'open', 0, 0, 0, 0, 0, 0, 0, 1,"
        " now() + interval '3 days')"
    )
    outcome = run_check(PosClock(url=address(database)))
    assert outcome.status is Status.UNHEALTHY
    assert "the newest row" in outcome.message


def test_the_pos_has_a_check_of_its_clock(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql:///x")
    found = load_settings(processes.ROOT / "healthkit.toml")
    (check,) = (check for check in found.checks if check.type == "pos-clock")
    assert check.info.role is Role.ADVISORY
