"""Rolled back by a restore: sales of the live database that the backup does not have.

Told by number and sum, and kept as a report in BACKUP_DIR/rolled-back. Both databases are compared
whole, a stretch of ids at a time: the server digests each, and only where the digests differ are
the rows fetched. So it is right however much there is, and takes little room.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from healthkit.masking import mask
from posapp.backup.model.backup import format_local, format_stamp
from posapp.backup.postgres.client import Connection, PostgresClient, query
from posapp.runtime.files import write_atomically

STRETCH = 10_000
"""Ids that are compared at once."""
LISTED, DAYS = 1_000, 31
"""The sales that the report lists, and the days that a summary names, of each kind; the newest."""
_TABLES = {
    "orders": "id, business_date, number, total, paid, status",
    "payments": "id, business_date, receipt_number, method, amount",
}
Rows = dict[int, Any]


@dataclass(frozen=True)
class Sale:
    """An order or a payment: its business date, its number, and rupiah."""

    day: date
    number: int
    amount: int
    kind: str
    """Its status, or how it was paid."""


@dataclass
class Tally:
    """Sales that are gone, or changed: how many, their sum, and the numbers of each day; the newest
    of them one by one."""

    count: int = 0
    amount: int = 0
    days: dict[date, tuple[int, int]] = field(default_factory=dict)
    """The first and the last number of each day."""
    newest: deque[Sale] = field(default_factory=lambda: deque(maxlen=LISTED))

    def add(self, sale: Sale) -> None:
        self.count += 1
        self.amount += sale.amount
        first, last = self.days.get(sale.day, (sale.number, sale.number))
        self.days[sale.day] = (min(first, sale.number), max(last, sale.number))
        self.newest.append(sale)

    def describe(self, what: str) -> str:
        """Formats `3 orders, Rp 210000: 2025-12-26 no. 41-43`."""
        days = sorted(self.days.items())
        numbers = [
            f"{day} no. {first}" + (f"-{last}" if last > first else "")
            for day, (first, last) in days[-DAYS:]
        ]
        if len(days) > DAYS:
            numbers.insert(0, f"{len(days) - DAYS} earlier days")
        return f"{self.count} {what}, Rp {self.amount}: {', '.join(numbers)}"


@dataclass(frozen=True)
class RolledBack:
    """The sales that were in the live database and are not in the restored one."""

    orders: Tally = field(default_factory=Tally)
    payments: Tally = field(default_factory=Tally)
    changed: Tally = field(default_factory=Tally)
    """Orders that are in both, and had gone further."""

    @property
    def summary(self) -> list[str]:
        """Returns a line for each kind that there is."""
        kinds = (("orders", self.orders), ("payments", self.payments))
        lines = [f"Rolled back: {one.describe(what)}" for what, one in kinds if one.count]
        if self.changed.count:
            lines.append(f"Back in an earlier state: {self.changed.describe('orders')}")
        return lines


def rolled_back(old: PostgresClient, new: PostgresClient) -> RolledBack:
    """Compares what was live with what is. Raises BackupError."""
    found = RolledBack()
    for before, now in _differing("orders", old, new):
        for key, (day, number, total, paid, status) in before.items():
            if key not in now:
                found.orders.add(Sale(day, number, total, status))
            elif now[key] != before[key]:
                found.changed.add(Sale(day, number, paid, status))
    for before, now in _differing("payments", old, new):
        for key, (day, number, method, amount) in before.items():
            if key not in now:
                found.payments.add(Sale(day, number, amount, method))
    return found


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
    # Of a folder of any name: it may be no text at all.
    write_atomically(path, mask(text).encode(errors="surrogateescape"))
    return path


def _lines(texts: list[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _table(sales: Tally) -> str:
    rows = [f"| {one.day} | {one.number} | {one.amount} | {one.kind} |" for one in sales.newest]
    if sales.count > len(rows):
        rows.insert(0, f"| before | {sales.count - len(rows)} more | | |")
    return "\n".join(
        ["| Business date | Number | Rupiah | |", "| --- | ---: | ---: | --- |", *rows]
    )


def _differing(table: str, old: PostgresClient, new: PostgresClient) -> Iterator[tuple[Rows, Rows]]:
    """Gives the rows of both by their ids, of each stretch in which they differ, by id; nothing
    where one has no such table."""
    with old.connect() as before, new.connect() as after:
        for connection in (before, after):
            if query(connection, "SELECT to_regclass(%s)", f"public.{table}")[0][0] is None:
                return
        there = _digests(after, table)
        for stretch, digest in sorted(_digests(before, table).items()):
            if there.get(stretch) != digest:
                yield _rows(before, table, stretch), _rows(after, table, stretch)


def _digests(connection: Connection, table: str) -> dict[int, Any]:
    statement = (
        f"SELECT id / {STRETCH}, count(*),"  # noqa: S608  ours
        f" sum(hashtextextended(ROW({_TABLES[table]})::text, 0)::numeric)"
        f" FROM public.{table} GROUP BY 1"
    )
    return {row[0]: row[1:] for row in query(connection, statement)}


def _rows(connection: Connection, table: str, stretch: int) -> Rows:
    statement = (
        f"SELECT {_TABLES[table]} FROM public.{table}"  # noqa: S608  ours
        " WHERE id >= %s AND id < %s ORDER BY id"
    )
    found = query(connection, statement, stretch * STRETCH, (stretch + 1) * STRETCH)
    return {row[0]: row[1:] for row in found}
