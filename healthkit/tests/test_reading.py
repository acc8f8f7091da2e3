"""What only reads works when it is needed most: on a store that is locked, full or read-only; and
it is fast, for what it reads does not grow with the history."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event

from healthkit._store import history, incidents, tables
from healthkit._store.database import Store
from healthkit._store.history import Row, Uptime
from healthkit._store.tables import metadata
from healthkit.cli import main

READING = [("status",), ("incidents",), ("silence", "list")]
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def run(folder, database, *arguments):
    (folder / "healthkit.toml").write_text(f"""
        [service]
        name = "Till"
        [store]
        url = "sqlite:///{database}"
        [checks.nightly]
        type = "heartbeat"
        every = "24h"
        """)
    return CliRunner().invoke(main, ["--config", f"{folder}/healthkit.toml", *arguments])


def fill(database):
    store = Store(f"sqlite:///{database}")
    now = datetime.now(UTC)
    with store.transaction() as connection:
        incidents.add_silence(connection, now + DAY, now, reason="a known fault")
    store.close()


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_store_that_somebody_has_locked_is_read(tmp_path, command):
    database = tmp_path / "store.db"
    fill(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        result = run(tmp_path, database, *command)
    assert result.exit_code == 0, result.output
    if command != ("incidents",):
        assert "a known fault" in result.stdout


@pytest.mark.parametrize("files", [1, 3])
def test_a_store_on_a_disk_that_takes_no_writes_is_read(tmp_path, small_disk, files):
    """Ended in order it is one file; else its log and the log's index lie beside it."""
    disk = small_disk(8)
    database = disk / "store.db"
    fill(tmp_path / "store.db")
    with closing(sqlite3.connect(tmp_path / "store.db")) as keeps_the_log:
        keeps_the_log.execute("SELECT * FROM healthkit_silences").fetchall()
        for file in sorted(tmp_path.glob("store.db*"))[:files]:
            shutil.copy(file, disk)
    assert len(list(disk.iterdir())) == files
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for command in READING:
        result = run(tmp_path, database, *command)
        assert result.exit_code == 0, result.output
        if command != ("incidents",):
            assert "a known fault" in result.stdout


# The uptime of a span


moments = st.integers(0, 9 * 24 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes))
statuses = st.sampled_from(["healthy", "degraded", "unhealthy"])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(moments, statuses), max_size=60),
    st.integers(1, 7 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(0, 3 * 60).map(lambda minutes: timedelta(minutes=minutes)),
)
def test_the_uptime_of_a_span_is_counted_from_sums_as_from_each_result(results, span, later):
    engine = create_engine("sqlite://")
    metadata.create_all(engine, tables=[tables.history, tables.hourly, tables.daily])
    with engine.begin() as connection:
        history.add(connection, [Row("a", at, status, 0.1) for at, status in results], NOW)
        history.roll_up(connection, NOW)
        now = NOW + later
        found = history.uptime(connection, now, span).get("a", Uptime(0, 0))
    counted = [status for at, status in results if at > now - span]
    good = sum(status != "unhealthy" for status in counted)
    kept = all(at > NOW - history.KEEP_RESULTS + timedelta(hours=1) for at, _ in results)
    if kept or span <= 6 * DAY:
        assert found == Uptime(good, len(counted))
    engine.dispose()


def test_the_uptime_of_a_day_reads_no_result_of_an_hour_that_is_summed_up(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/store.db")
    with store.transaction() as connection:
        minutes = range(3 * 24 * 60)
        rows = [Row("a", NOW - timedelta(minutes=m), "healthy", 0.1) for m in minutes]
        history.add(connection, rows, NOW)
        history.roll_up(connection, NOW)
    plans = []

    def explain(connection, cursor, statement, parameters, context, many):
        if statement.startswith("SELECT"):
            explained = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[-1] for row in explained)

    event.listen(store.engine, "before_cursor_execute", explain)
    with store.reading() as connection:
        assert history.uptime(connection, NOW, DAY)["a"] == Uptime(24 * 60, 24 * 60)
    assert plans
    assert [plan for plan in plans if plan.split()[:2] == ["SCAN", "healthkit_history"]] == []
    store.close()
