"""Rolled back by a restore: sales of the live database that the backup does not have.

Told by number and sum, and kept as a report in BACKUP_DIR/rolled-back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from healthkit.masking import mask
from posapp.backup.model.backup import format_local, format_stamp
from posapp.backup.postgres.client import PostgresClient, query
from posapp.runtime.files import write_atomically

_OVERLAP = 10_000
"""Ids below the newest of the backup that are compared one by one: commits do not come in the order
of their ids."""
_ORDERS = "SELECT id, business_date, number, total, paid, status FROM public.orders WHERE id > %s"
_PAYMENTS = """
SELECT id, business_date, receipt_number, method, amount FROM public.payments WHERE id > %s
"""


@dataclass(frozen=True)
class Sale:
    """An order or a payment: its business date, its number, and rupiah."""

    day: date
    number: int
    amount: int
    what: str


@dataclass(frozen=True)
class RolledBack:
    """The sales that were in the live database and are not in the restored one."""

    orders: list[Sale]
    payments: list[Sale]
    changed: list[Sale]
    """Orders that are in both, and had gone further."""

    @property
    def summary(self) -> list[str]:
        """Returns a line for each kind that there is."""
        kinds = (("orders", self.orders), ("payments", self.payments))
        lines = [f"Rolled back: {_describe(what, sales)}" for what, sales in kinds if sales]
        if self.changed:
            lines.append(f"Back in an earlier state: {_describe('orders', self.changed)}")
        return lines


def rolled_back(old: PostgresClient, new: PostgresClient) -> RolledBack:
    """Compares what was live with what is. Raises BackupError."""
    orders, orders_now = _rows("orders", _ORDERS, old, new)
    payments, payments_now = _rows("payments", _PAYMENTS, old, new)
    lost = [row for key, row in orders.items() if key not in orders_now]
    changed = [row for key, row in orders.items() if orders_now.get(key, row) != row]
    gone = [row for key, row in payments.items() if key not in payments_now]
    return RolledBack(
        [Sale(day, number, total, status) for day, number, total, _, status in lost],
        [Sale(day, number, amount, method) for day, number, method, amount in gone],
        [Sale(day, number, paid, status) for day, number, _, paid, status in changed],
    )


def write_report(
    found: RolledBack, notes: list[str], folder: Path, backup: str, now: datetime
) -> Path:
    """Writes the report and returns its path. Raises OSError."""
    sections = "\n".join(
        f"## {title}\n\n{_table(sales)}\n"
        for title, sales in (
            ("Orders that are gone", found.orders),
            ("Payments that are gone", found.payments),
            ("Orders that are in an earlier state", found.changed),
        )
    )
    path = folder / f"rolled-back-{format_stamp(now)}.md"
    text = f"""# Rolled back by a restore - {format_local(now)}

- Backup: {backup}
{_lines(found.summary)}
{_lines(notes)}

{sections}"""
    write_atomically(path, mask(text).encode())
    return path


def _lines(texts: list[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _table(sales: list[Sale]) -> str:
    rows = [f"| {one.day} | {one.number} | {one.amount} | {one.what} |" for one in sales]
    return "\n".join(
        ["| Business date | Number | Rupiah | |", "| --- | ---: | ---: | --- |", *rows]
    )


def _describe(what: str, sales: list[Sale]) -> str:
    """Formats `3 orders, Rp 210000: 2025-12-26 no. 41-43`."""
    days: dict[date, list[int]] = {}
    for one in sales:
        days.setdefault(one.day, []).append(one.number)
    numbers = ", ".join(
        f"{day} no. {min(found)}" + (f"-{max(found)}" if len(found) > 1 else "")
        for day, found in sorted(days.items())
    )
    return f"{len(sales)} {what}, Rp {sum(one.amount for one in sales)}: {numbers}"


def _rows(
    table: str, statement: str, old: PostgresClient, new: PostgresClient
) -> tuple[dict[int, Any], dict[int, Any]]:
    """Returns the rows of both by their ids, from the same id on; none where one has no table."""
    with old.connect() as before, new.connect() as after:
        for connection in (before, after):
            if query(connection, "SELECT to_regclass(%s)", f"public.{table}")[0][0] is None:
                return {}, {}
        newest = f"SELECT coalesce(max(id), 0) FROM public.{table}"  # noqa: S608  ours
        last = query(before, newest)[0][0]
        first = query(after, f"{newest} WHERE id <= %s", last)[0][0] - _OVERLAP
        found = ({row[0]: row[1:] for row in query(c, statement, first)} for c in (before, after))
        return next(found), next(found)
