"""The status page on a store with ten million results behind it, and what a result costs there.

python -m benchmarks status [ROWS]      10,000,000 unless it says another number

Fifty checks for ninety days, written as the watcher writes them: every result for a week, sums of
hours and days for what is older.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from click.testing import CliRunner

from healthkit import SYSTEM_CLOCK, ConfiguredCheck, Settings
from healthkit._status import feeds, html
from healthkit._status.publisher import StatusPublisher
from healthkit._status.reading import Reader
from healthkit._store import history
from healthkit._store.database import Store
from healthkit.cli import main as healthkit_command
from healthkit.testing import ScriptedCheck, configured

CHECKS, DAYS = 50, 90
ROWS = 10_000_000
ROUNDS = 15


def rows_of(day: datetime, until: datetime, each: int) -> Iterator[history.Row]:
    """Yields `each` results of every check over a day; one in 997 is bad."""
    for number in range(each):
        at = day + timedelta(days=1) * number / each
        if at >= until:
            return
        for check in range(CHECKS):
            status = "unhealthy" if (number * CHECKS + check) % 997 == 0 else "healthy"
            yield history.Row(f"check-{check}", at, status, 0.01 + number % 7 / 100)


def fill(store: Store, now: datetime, rows: int) -> int:
    """Returns how many results were written."""
    each, written = max(24, rows // CHECKS // DAYS), 0
    for back in reversed(range(DAYS)):
        day = now - timedelta(days=back + 1)
        with store.transaction() as connection:
            found = list(rows_of(day, now, each))
            history.add(connection, found, day + timedelta(days=1))
            history.roll_up(connection, day + timedelta(days=1))
            written += len(found)
    return written


Taken = tuple[float, float]


def measure(act: Callable[[], object], rounds: int = ROUNDS) -> Taken:
    """Returns the median milliseconds of an act: by the clock, and of the processor."""
    taken = []
    for _ in range(rounds):
        clock, processor = time.perf_counter(), time.process_time()
        act()
        taken.append((time.perf_counter() - clock, time.process_time() - processor))
    clocks, processors = zip(*taken, strict=True)
    return median(clocks) * 1000, median(processors) * 1000


def insert_cost(store: Store, now: datetime) -> Taken:
    """Measures a transaction with one result of every check."""

    def insert() -> None:
        with store.transaction() as connection:
            history.add(connection, rows_of(now, now + timedelta(days=1), 1), now)

    return measure(insert)


def settings_of(url: str) -> Settings:
    def check(number: int) -> ConfiguredCheck:
        return configured(f"check-{number}", ScriptedCheck(), interval=timedelta(seconds=39))

    return Settings(
        service={"name": "Bench", "timezone": "Asia/Jakarta"},
        store={"url": url},
        status={"access": "public"},
        checks=[check(number) for number in range(CHECKS)],
    )


def status_command(folder: Path, url: str) -> Taken:
    """Measures `healthkit status`, without the start of Python."""
    config = folder / "healthkit.toml"
    lines = ["[service]", 'name = "Bench"', "[store]", f'url = "{url}"']
    for number in range(CHECKS):
        lines += [f"[checks.check-{number}]", 'type = "heartbeat"', 'every = "1m"', "silent = true"]
    config.write_text("\n".join(lines))
    arguments = ["--config", str(config), "status"]
    return measure(lambda: CliRunner().invoke(healthkit_command, arguments), 5)


def main(arguments: list[str] | None = None) -> int:
    rows = int((arguments or [str(ROWS)])[0].replace(",", "").replace("_", ""))
    now = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/store.db"
        empty, store = Store(f"sqlite:///{folder}/empty.db"), Store(url)
        began = time.perf_counter()
        written = fill(store, now, rows)
        built = time.perf_counter() - began
        size = (folder / "store.db").stat().st_size / 1e6
        settings = settings_of(url)
        reader, zone = Reader(settings), settings.service.zone
        with store.reading() as connection:
            first = measure(lambda: reader.figures(connection, now), 1)
            figures = reader.figures(connection, now)
            page = reader.page(connection, now, figures)
            measured = {
                "read the figures, the first time (response times too)": first,
                "read the figures (each minute)": measure(lambda: reader.figures(connection, now)),
                "read what is so now (every 5 s)": measure(
                    lambda: reader.page(connection, now, figures)
                ),
            }
        measured["render the page, one language"] = measure(lambda: html.html(page, "en", zone))
        measured["render its JSON"] = measure(lambda: feeds.status_json(page))
        publisher = StatusPublisher(settings, lambda: store, SYSTEM_CLOCK)
        publisher.refresh()
        publisher.response("html", "en")
        measured["answer a request"] = measure(lambda: publisher.response("html", "en"))
        measured["healthkit status"] = status_command(folder, url)
        measured[f"store {CHECKS} results, empty store"] = insert_cost(empty, now)
        measured[f"store {CHECKS} results, this store"] = insert_cost(store, now)
        empty.close()
        store.close()
    print(
        f"\nStatus page: {CHECKS} checks, {DAYS} days, {written:,} results ({size:.0f} MB,"
        f" written in {built:.0f} s)\n"
    )
    print(f"| {'':54} | {'ms':>8} | {'CPU, ms':>8} |\n| {'-' * 54} | {'-' * 7}: | {'-' * 7}: |")
    for what, (clock, processor) in measured.items():
        print(f"| {what:54} | {clock:8.3f} | {processor:8.3f} |")
    return 0
