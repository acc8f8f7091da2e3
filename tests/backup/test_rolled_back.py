"""What a restore has rolled back is told exactly, however much it is, in little room."""

from datetime import UTC, date, datetime

import pytest

from posapp.backup.postgres.client import PostgresClient
from posapp.backup.rolled_back import LISTED, STRETCH, rolled_back, write_report
from tests.backup.kit import run_sql

SALES = """
CREATE TABLE orders (id bigint PRIMARY KEY, business_date date, number int, total bigint,
                     paid bigint, status text);
CREATE TABLE payments (id bigint PRIMARY KEY, business_date date, receipt_number int, method text,
                       amount bigint);
INSERT INTO orders SELECT n, date '2025-01-01' + n / 1000, n % 1000, n, 0, 'open'
    FROM generate_series(1, {orders}) n;
INSERT INTO payments SELECT n, date '2025-01-01' + n / 1000, n % 1000, 'cash', n
    FROM generate_series(1, {payments}) n;
"""
BEFORE, ALL = 2 * STRETCH + 5, 7 * STRETCH
MORE = """
UPDATE orders SET paid = total, status = 'paid' WHERE id = 7;
DELETE FROM orders WHERE id = 3 * {stretch};
INSERT INTO payments VALUES (3, date '2025-01-01', 3, 'qris', 33);
"""


@pytest.mark.deep
def test_what_was_rolled_back_is_exact_far_below_the_newest_ids_and_the_report_stays_small(
    small, postgres, tmp_path
):
    """More than any list holds; and a late commit and a change among the oldest of all."""
    other = small.set(database=f"{small.database}_new")
    run_sql(small, SALES.format(orders=ALL, payments=ALL))
    run_sql(small, "DELETE FROM payments WHERE id = 3")
    postgres.create(other.database)
    run_sql(other, SALES.format(orders=BEFORE, payments=ALL))
    run_sql(other, "DELETE FROM payments WHERE id = 3")
    run_sql(small, MORE.format(stretch=STRETCH))
    found = rolled_back(PostgresClient(small), PostgresClient(other))
    gone = set(range(BEFORE + 1, ALL + 1)) - {3 * STRETCH}
    assert (found.orders.count, found.orders.amount) == (len(gone), sum(gone))
    assert (found.payments.count, found.payments.amount) == (1, 33)
    assert (found.changed.count, found.changed.amount) == (1, 7)
    assert found.orders.days[date(2025, 1, 1 + BEFORE // 1000)] == (6, 999)
    assert found.summary[0].startswith(f"Rolled back: {len(gone)} orders, Rp {sum(gone)}: 20 ear")
    assert found.summary[1] == "Rolled back: 1 payments, Rp 33: 2025-01-01 no. 3"
    assert len(found.summary[0]) < 1_000
    now = datetime(2025, 12, 26, tzinfo=UTC)
    report = write_report(found, [], tmp_path, "a backup", now).read_text()
    assert f"| before | {len(gone) - LISTED} more | | |" in report
    assert f"| 2025-03-12 | 0 | {ALL} | open |" in report  # the newest of all
    assert len(report.splitlines()) < LISTED + 40
