"""The monthly report: every restore point that was promised, and what has proven it."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner

from posapp import JAKARTA
from posapp.backup.errors import Refused
from posapp.backup.model.backup import Backup, BackupName
from posapp.backup.model.restore_points import points_of_month
from posapp.backup.monthly_report import MonthlyReport, parse_month
from posapp.cli import main
from tests.backup.kit import address, context_on, make, manifest_for

DECEMBER = date(2025, 12, 1)
NOW = datetime(2025, 12, 26, 5, tzinfo=UTC)
BEGAN = datetime(2025, 9, 1, tzinfo=UTC)


def backup(kind, day, hour=2, where="/backups", **facts):
    at = datetime(2025, 12, day, hour, 5, tzinfo=JAKARTA).astimezone(UTC)
    name = BackupName(at, kind)
    manifest = manifest_for(name, first_created_at=BEGAN, **facts)
    return Backup(name, 1, manifest, f"{where}/{name}")


def month(*backups, now=NOW):
    return points_of_month(DECEMBER, now, backups, lambda one: one.intact)


def statuses(points, kind):
    return {point.due.day: point.status for point in points if point.kind == kind}


NIGHTS = [backup("daily", day) for day in range(20, 27)]


def test_each_point_that_was_due_is_there_or_missing_or_has_had_its_time():
    proven = backup("weekly", 7, 3, restored_at=NOW, restored_on="PostgreSQL 18.6")
    points = month(*NIGHTS[:3], *NIGHTS[4:], proven, backup("monthly", 1, 4))
    daily = statuses(points, "daily")
    assert [day for day, status in daily.items() if status == "missing"] == [23]
    assert [day for day, status in daily.items() if status == "verified"] == [
        20,
        21,
        22,
        24,
        25,
        26,
    ]
    assert {daily[day] for day in range(1, 19)} == {"kept its time"}
    assert max(daily) == 26
    assert statuses(points, "weekly") == {7: "proven", 14: "missing", 21: "missing"}
    assert statuses(points, "monthly") == {1: "verified"}
    assert [point.due for point in points] == sorted(point.due for point in points)


def test_nothing_is_missing_from_before_the_first_backup_or_before_it_is_due():
    young = [replace(one, manifest=manifest_for(one.name)) for one in NIGHTS[5:]]
    assert statuses(month(*young), "daily") == {25: "verified", 26: "verified"}
    at_two = datetime(2025, 12, 26, 3, tzinfo=JAKARTA)
    assert 26 not in statuses(month(*NIGHTS[:6], now=at_two), "daily")
    assert month(now=datetime(2025, 11, 30, tzinfo=JAKARTA)) == []


def test_what_is_not_whole_or_not_ours_is_no_restore_point():
    broken = replace(NIGHTS[6], size=2)
    assert statuses(month(*NIGHTS[:6], broken), "daily")[26] == "missing"


def test_it_says_when_where_and_how_fast_of_the_copy_that_was_proven_last():
    proof = {"restored_at": NOW, "restored_on": "PostgreSQL 18.6", "restored_seconds": 75.0}
    earlier = {**proof, "restored_at": NOW - timedelta(days=1), "restored_on": "PostgreSQL 15"}
    copies = (
        backup("daily", 26, **earlier),
        backup("daily", 26, where="s3://eimer/daily", **proof),
    )
    report = MonthlyReport(DECEMBER, "<b>0123</b>", NOW, month(*NIGHTS[:6], *copies))
    last = json.loads(report.as_json())["points"][-1]
    assert (last["status"], last["server"], last["seconds"]) == ("proven", "PostgreSQL 18.6", 75.0)
    assert last["last_proven"] == NOW.isoformat()
    assert len(last["copies"]) == 2
    line = report.as_text().splitlines()[-1]
    assert line.split()[:6] == [
        "daily",
        "2025-12-26",
        "02:00:00",
        "proven",
        "2025-12-26",
        "12:00:00",
    ]
    assert "1m15s" in line
    page = report.as_html()
    assert "<td>1m15s" in page
    assert "restaurant &lt;b&gt;0123" in page


@pytest.mark.parametrize("text", ["December", "2025-13", "2025-12-01", "2025", "-1", ""])
def test_a_month_is_written_like_2025_12(text):
    assert parse_month("2025-12", NOW) == DECEMBER
    if text:
        with pytest.raises(Refused, match="write it like 2025-12"):
            parse_month(text, NOW)
    else:
        assert parse_month(None, NOW) == DECEMBER


def test_the_command_prints_it_and_writes_the_page(small, tmp_path, log, clock):
    clock.moment = datetime.now(UTC)
    made = make("daily", context_on(small, tmp_path / "backups", log))
    environ = {"DATABASE_URL": address(small), "BACKUP_DIR": str(tmp_path / "backups")}
    page = tmp_path / "report.html"
    run = CliRunner(env={**environ, "BACKUP_LOG": str(tmp_path / "log")}).invoke
    chosen = f"{made.at.astimezone(JAKARTA):%Y-%m}"
    printed = run(main, ["backup", "report", "--month", chosen, "--json"])
    assert json.loads(printed.stdout)["restaurant"] == made.manifest.identity
    assert printed.exit_code == bool(json.loads(printed.stdout)["missing"])
    written = run(main, ["backup", "report", "--html", str(page)])
    assert written.exit_code == printed.exit_code
    assert page.read_text().startswith("<!doctype html>")
    assert "not a month" in run(main, ["backup", "report", "--month", "x"]).stderr
