"""Hours of a restaurant in minutes: mixed load on two workers, and the same with a million orders.

python -m benchmarks soak                 five minutes
python -m benchmarks soak --minutes 30 --orders 1000000

Memory of each process must be flat after the first minute, every answer one that was meant, and the
database must have the orders that the tills were told. Ends with exit code 1 where that is not so.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles

import psutil
import psycopg2
from sqlalchemy.engine import URL

from benchmarks.commonest import print_plans
from benchmarks.measure import database, gunicorn, table
from benchmarks.soak_tills import Tally, Till, sign_in

TILLS = 8
FIRST_MINUTE = 60.0
SAMPLE = 2.0
"""Seconds between two looks at the memory."""

GROWTH = 0.05
"""The share by which a process may have grown after the first minute, or `SLACK` where that is
more: the interpreter keeps a little of what it once needed."""
SLACK = 3_000_000
ROUNDS, ROUND = 5, 10.0

FILL = """
SET session_replication_role = replica;  -- without triggers and keys: it is made to fit
INSERT INTO orders (number, business_date, type, status, subtotal, discount, service_charge, tax,
    rounding, total, paid, created_by, created_at)
SELECT 1 + n % 500, date '2010-01-01' + n / 500, 'takeaway', 'paid', 40000, 0, 2000, 4200, 0,
    46200, 46200, 1,
    timestamptz '2010-01-01 05:00Z' + n / 500 * interval '1 day' + n % 500 * interval '60 s'
FROM generate_series(0, {orders} - 1) n;
INSERT INTO order_lines (order_id, position, product_id, name, unit_price, modifiers,
    modifiers_price, quantity, total)
SELECT id, position, 24, 'Spageti Bolognese', 20000, '[]', 0, 1, 20000
FROM orders, generate_series(0, 1) position;
INSERT INTO payments (order_id, method, amount, tendered, change, business_date, receipt_number,
    created_by, created_at)
SELECT id, 'qris', total, total, 0, business_date, number, 1, created_at FROM orders;
INSERT INTO audit_log (at, user_id, action, entity, entity_id, details)
SELECT created_at, 1, 'order.created', 'order', id, '{{}}' FROM orders;
INSERT INTO idempotency_keys (key, fingerprint, answer, created_at)
SELECT gen_random_uuid()::text, '\\x00', '{{}}', created_at FROM orders;
SET session_replication_role = DEFAULT;
VACUUM ANALYZE;
"""


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks soak")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--orders", type=int, default=1_000_000, help="in the large database")
    given = parser.parse_args(arguments)
    faults: list[str] = []
    with ExitStack() as stack:
        small = stack.enter_context(database())
        pos = stack.enter_context(serve(small))
        faults += soak(pos, small, given.minutes * 60)
        large = stack.enter_context(database())
        seconds = fill(large, given.orders)
        print(f"\n{given.orders:,} orders were made in {seconds:.0f} s.")
        faults += compare(pos, stack.enter_context(serve(large)))
        print_plans(large)
    print("\n" + ("\n".join(f"fault: {fault}" for fault in faults) or "All of it held."))
    return 1 if faults else 0


@contextmanager
def serve(url: URL) -> Iterator[str]:
    """The production server with two workers on a database; its address."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "POS_DATA_DIR": folder,
            "HEALTHKIT_STORE": f"sqlite:///{folder}/store.db",
            "JWT_SECRET": "7f3b9c1e5a8d2460b7e9f1a3c5d80246",
            "JWT_EXPIRATION": "12h",
        }
        config = ("--config", "deploy/gunicorn.conf.py", "--workers", "2")
        with gunicorn("wsgi:app", environ, *config) as address:
            yield address


def soak(address: str, url: URL, seconds: float) -> list[str]:
    """Sells for so long, prints what was seen, and returns what must not have been."""
    memory: dict[psutil.Process, list[tuple[float, int]]] = {one: [] for one in servers(address)}
    before, began = count_orders(url), time.monotonic()
    with selling(address) as tally:
        while (passed := time.monotonic() - began) < seconds:
            for process, samples in memory.items():
                samples.append((passed, process.memory_info().rss))
            time.sleep(SAMPLE)
    print_latencies(tally, seconds)
    faults = [f"{count} × {what}" for what, count in tally.unmeant.items()]
    made, told = count_orders(url) - before, len(tally.orders)
    print(f"\n{told:,} orders were told, {made:,} are in the database.")
    if made != told:
        faults.append(f"{told} orders were told, {made} are there")
    return faults + print_memory(memory)


@contextmanager
def selling(address: str) -> Iterator[Tally]:
    """Eight tills that sell; what they have seen is complete at the end."""
    tally, stop, token = Tally(), threading.Event(), sign_in(address)
    tills = [Till(address, token, tally, stop, random.Random(n)) for n in range(TILLS)]
    for till in tills:
        till.start()
    try:
        yield tally
    finally:
        stop.set()
        for till in tills:
            till.join()


def compare(small: str, large: str) -> list[str]:
    """The rates of the mix on both databases, in turn."""
    rates: dict[str, list[float]] = {"a new database": [], "a large one": []}
    faults = []
    for _ in range(ROUNDS):
        for name, address in zip(rates, (small, large), strict=True):
            with selling(address) as tally:
                time.sleep(ROUND)
            rates[name].append(sum(map(len, tally.latencies.values())) / ROUND)
            faults += [f"{name}: {count} × {what}" for what, count in tally.unmeant.items()]
    table("The same mix, in turn", {n: median(r) for n, r in rates.items()}, "a new database")
    return faults


def servers(address: str) -> list[psutil.Process]:
    """The server's master and workers."""
    port = int(address.rsplit(":", 1)[1])
    found = psutil.Process().children(recursive=True)
    masters = [one for one in found if f"127.0.0.1:{port}" in one.cmdline()]
    return list({one.pid: one for one in masters}.values())


def count_orders(url: URL) -> int:
    with connect(url) as cursor:
        cursor.execute("SELECT count(*) FROM orders")
        (count,) = cursor.fetchone() or (0,)
        return int(count)


def fill(url: URL, orders: int) -> float:
    """Fills a database with paid orders of the past; returns the seconds that it took."""
    began = time.monotonic()
    with connect(url) as cursor:
        for statement in FILL.format(orders=orders).split(";\n"):
            if statement.strip():
                cursor.execute(statement)
    return time.monotonic() - began


@contextmanager
def connect(url: URL) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(
        host=url.query["host"], user=url.username, dbname=url.database, port=url.query["port"]
    )
    connection.autocommit = True
    try:
        yield connection.cursor()
    finally:
        connection.close()


def print_latencies(tally: Tally, seconds: float) -> None:
    width = max(map(len, tally.latencies))
    print(f"\n{TILLS} tills on two workers, {seconds / 60:g} minutes\n")
    print(f"| {'':{width}} | requests | req/s | p50 ms | p99 ms |")
    print(f"| {'-' * width} | -------: | ----: | -----: | -----: |")
    for route, took in sorted(tally.latencies.items()):
        cuts = quantiles(took, n=100) if len(took) > 1 else [took[0]] * 99
        print(
            f"| {route:{width}} | {len(took):8,} | {len(took) / seconds:5.1f} |"
            f" {cuts[49] * 1000:6.1f} | {cuts[98] * 1000:6.1f} |"
        )


def print_memory(memory: dict[psutil.Process, list[tuple[float, int]]]) -> list[str]:
    """What each process had after the first minute and at the end; returns who has grown."""
    faults = []
    print("\n| process | MB after a minute | MB at the end | growth |")
    print("| ------- | ----------------: | ------------: | -----: |")
    for number, (process, samples) in enumerate(memory.items()):
        late = [size for at, size in samples if at >= FIRST_MINUTE]
        if len(late) < 4:
            print("| the first minute is not over |  |  |  |")
            break
        quarter = len(late) // 4
        first, last = median(late[:quarter]), median(late[-quarter:])
        name = "master" if number == 0 else f"worker {number}"
        grown = f"{(last - first) / first:6.1%}"
        print(f"| {name:7} | {first / 1e6:17.1f} | {last / 1e6:13.1f} | {grown} |")
        if last - first > max(GROWTH * first, SLACK):
            faults.append(f"{name} (pid {process.pid}) has grown by {grown.strip()}")
    return faults
