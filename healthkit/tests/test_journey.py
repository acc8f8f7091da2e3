"""The way of one alert, followed by a profiler, is the one that docs/architecture.md shows."""

import re
import sys
import threading
from pathlib import Path

import pytest

import healthkit
from healthkit import (
    ChannelSettings,
    Check,
    Outcome,
    RouteSettings,
    ServiceSettings,
    Settings,
    StoreSettings,
    _threads,
    configure_check,
)
from healthkit.testing import wait_until
from healthkit.watch import make_watcher

SOURCES = Path(healthkit.__file__).parent
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
MOST_STEPS = 15


class Gone(Check):
    def run(self, context):
        return Outcome.unhealthy("connection refused")


@pytest.fixture
def followed(tmp_path, http_sink, monkeypatch):
    """The files of healthkit that one alert runs through, from the check to the service."""
    settings = Settings(
        service=ServiceSettings(name="Till"),
        store=StoreSettings(url=f"sqlite:///{tmp_path}/store.db"),
        checks=[configure_check("db", Gone(), interval="20ms", fail_after=1, severity="critical")],
        channels={"hook": ChannelSettings(url=http_sink.url("/hook", "json"))},
        routes={"critical": RouteSettings(channels=["hook"])},
    )
    watcher = make_watcher(settings)
    codes = set()

    def note(frame, event, argument):
        if event == "call":
            codes.add((frame.f_code.co_filename, frame.f_code.co_name))

    def sent():
        with watcher._store.reading() as connection:
            return connection.exec_driver_sql(
                "SELECT count(*) FROM healthkit_deliveries WHERE state = 'sent'"
            ).scalar_one()

    run = _threads._run

    def profiled(target):
        sys.setprofile(note)
        run(target)

    monkeypatch.setattr(_threads, "_run", profiled)  # native threads know no threading.setprofile
    thread = threading.Thread(target=watcher.run)
    threading.setprofile(note)
    try:
        thread.start()
        wait_until(sent)
    finally:
        threading.setprofile(None)
        watcher.stop()
        thread.join(60)
    assert http_sink.requests[0].json()["title"] == "🔴 Db is DOWN"
    files = {Path(name) for name, _ in codes if Path(name).is_relative_to(SOURCES)}
    names = {str(path.relative_to(SOURCES).with_suffix("")) for path in files}
    return names - {"testing/__init__"}  # the service that gets the message


def table(kind):
    """The files of one part of the table in docs/architecture.md."""
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = re.findall(rf"^\| {kind} \| (.+?) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([\w/]+)`", row)}


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="the document is not here")
def test_one_alert_runs_through_the_files_of_the_table_and_no_other(followed):
    steps, leaves = table("step"), table("leaf")
    assert steps <= followed
    assert followed - steps - leaves == set()
    assert len(steps) <= MOST_STEPS
