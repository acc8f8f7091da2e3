"""A drill proves a backup, or says what is wrong with it."""

import json
import re
from datetime import UTC, datetime

import pyrage
import pytest

from healthkit import Health
from posapp.backup.drill import drill, validate_foreign_keys
from posapp.backup.drill_report import file_name, keep_earlier, report
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.storage.lookup import find_backup
from tests.backup.kit import (
    SMALL_ROWS,
    Clock,
    address,
    context_on,
    make,
    rewrite,
    run_sql,
    settings_of,
)
from tests.observability.sinks import sink

HEALTHKIT = """
[service]
name = "test"
[store]
url = "sqlite:///{folder}/store.db"
[checks.backup-drill]
type = "heartbeat"
every = "35d"
[checks.backup-daily]
type = "heartbeat"
every = "25h"
"""


@pytest.fixture
def environ(postgres, template_database, tmp_path, s3):
    """The POS's own database, a bucket, and a healthkit that waits for heartbeats."""
    url = postgres.create("for_drill", template_database)
    (tmp_path / "healthkit.toml").write_text(HEALTHKIT.format(folder=tmp_path))
    yield {
        "DATABASE_URL": address(url),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "BACKUP_LOG": str(tmp_path / "backup.log"),
        "HEALTHKIT_CONFIG": str(tmp_path / "healthkit.toml"),
        **s3.environ,
    }
    postgres.drop("for_drill")


@pytest.mark.deep
def test_the_newest_one_from_s3_becomes_a_running_pos_and_a_report(me, environ, tmp_path, s3):
    before = datetime.now(UTC)
    assert me.run("backup", "daily", environ=environ).returncode == 0
    with sink() as webhook:
        done = me.run(
            *("drill", f"s3://{s3.name}", "--report", str(tmp_path / "reports")),
            environ={**environ, "ALERT_WEBHOOK": f"http://{webhook.url}/hook"},
        )
    assert done.returncode == 0, done.stderr
    (written,) = (tmp_path / "reports").iterdir()
    assert re.fullmatch(r"disaster-recovery-drill-\d{8}\.md", written.name)
    text = written.read_text()
    for heading in ("Summary", "Issues Found", "Recommendations", "Next Drill"):
        assert f"\n## {heading}\n" in text
    assert f"- Backup Used: s3://{s3.name}/daily/steak_kenangan_daily_" in text
    assert "- Status: SUCCESS" in text
    assert "Health of the POS on the restored database: System healthy" in text
    assert re.search(r"Foreign keys validated: [1-9]", text)
    assert "[" not in text  # no heading is left to be filled in
    backup = find_backup(f"s3://{s3.name}", settings_of(tmp_path / "backups", **s3.environ))
    assert backup.manifest.restored_at > before
    assert json.loads(webhook.received[0][1])["event"] == "drill-succeeded"
    health = Health.from_file(tmp_path / "healthkit.toml")
    try:
        assert health.last_beat("backup-daily") > before
        assert health.last_beat("backup-drill") > before
    finally:
        health.stop()
    assert list((tmp_path / "backups").glob("steak*")) == []


@pytest.mark.deep
def test_a_failed_drill_exits_1_notifies_and_marks_nothing(me, environ, tmp_path):
    assert me.run("backup", "daily", environ=environ).returncode == 0
    backup = find_backup("latest", settings_of(tmp_path / "backups"))
    counts = {**backup.manifest.row_counts, "products": 72}
    rewrite(backup, tmp_path / "backups", row_counts=counts)
    with sink() as webhook:
        done = me.run(
            *("drill", "--report", str(tmp_path)),
            environ={**environ, "ALERT_WEBHOOK": f"http://{webhook.url}/hook"},
        )
    assert done.returncode == 1
    assert "products: 71 instead of 72" in done.stderr
    (written,) = tmp_path.glob("disaster-*.md")
    assert "- Status: ISSUES" in written.read_text()
    assert "products: 71 instead of 72" in written.read_text().split("## Issues Found")[1]
    assert json.loads(webhook.received[0][1])["event"] == "drill-failed"
    assert find_backup("latest", settings_of(tmp_path / "backups")).manifest.restored_at is None


@pytest.mark.deep
def test_a_folder_that_takes_no_report_is_refused_before_the_drill_begins(me, environ, tmp_path):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "reports"
    done = me.run("drill", "--report", str(folder), environ=environ)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("name another folder with --report")
    assert "Drill" not in done.stdout


class Hurried(Clock):
    """Waits for no POS that cannot start: these databases are none. Its minute is three seconds."""

    def monotonic(self) -> float:
        return 20 * super().monotonic()


@pytest.fixture
def run_drill(small, tmp_path, log):
    """Makes a backup of `small` and drills it."""

    def run(recipient=None, identity=None):
        context = context_on(small, tmp_path, log, recipient=recipient, identity=identity)
        context.clock = Hurried()
        return drill(make("daily", context), context)

    return run


@pytest.mark.deep
def test_a_row_that_refers_to_nothing_is_an_issue(small, run_drill):
    """As a constraint that was never validated lets it be."""
    run_sql(
        small,
        "ALTER TABLE bills DROP CONSTRAINT bills_guest_fkey;"
        "INSERT INTO bills (guest, total) VALUES (4711, 1);"
        "ALTER TABLE bills ADD FOREIGN KEY (guest) REFERENCES guests NOT VALID",
    )
    found = run_drill()
    assert not found.succeeded
    assert "(guest)=(4711) is not present" in found.issue
    assert "- Status: ISSUES" in report(found)


@pytest.mark.deep
def test_one_without_the_pos_in_it_is_an_issue(small, run_drill):
    run_sql(small, "DROP TABLE alembic_version")
    found = run_drill()
    assert "there is no POS in it" in found.issue


@pytest.mark.deep
def test_a_drill_restores_as_a_restore_does_with_rights_and_settings(
    small, postgres, run_drill, log
):
    """Those that hinder others, and those of roles that own nothing in it."""
    postgres.execute("CREATE ROLE pelayan_malam")
    name = small.database
    try:
        for statement in (
            f"ALTER DATABASE {name} SET default_transaction_read_only = on",
            f"ALTER DATABASE {name} SET search_path = ''",
            f"ALTER DATABASE {name} SET statement_timeout = 1",
            f"ALTER ROLE pelayan_malam IN DATABASE {name} SET role = 'postgres'",
            f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
            f"GRANT CONNECT ON DATABASE {name} TO pelayan_malam",
        ):
            postgres.execute(statement)
        found = run_drill()
        assert found.rows == sum(SMALL_ROWS.values())
        assert found.foreign_keys == 1
        assert "Not as it was" not in log.path.read_text()
    finally:
        postgres.drop(name)
        postgres.execute("DROP ROLE pelayan_malam")


@pytest.mark.deep
def test_the_key_that_opens_it_no_more_is_an_issue(run_drill, tmp_path):
    lost, other = (pyrage.x25519.Identity.generate() for _ in range(2))
    (tmp_path / "key").write_text(str(other))
    found = run_drill(lost.to_public(), tmp_path / "key")
    assert "does not open it" in found.issue


@pytest.mark.deep
def test_roles_of_the_real_server_are_provided(small, postgres, run_drill):
    postgres.execute("CREATE ROLE koki_kepala")
    try:
        run_sql(small, "ALTER TABLE guests OWNER TO koki_kepala")
        assert run_drill().rows == sum(SMALL_ROWS.values())
    finally:
        run_sql(small, "ALTER TABLE guests OWNER TO postgres")
        postgres.execute("DROP ROLE koki_kepala")


def test_the_foreign_keys_are_left_as_they_were(small):
    keys = "SELECT oid, conname, convalidated FROM pg_constraint WHERE contype = 'f'"
    before = run_sql(small, keys)
    assert validate_foreign_keys(PostgresClient(small)) == 1
    assert run_sql(small, keys) == before


def test_the_report_is_named_by_jakartas_day():
    assert (
        file_name(datetime(2025, 12, 25, 20, tzinfo=UTC)) == "disaster-recovery-drill-20251226.md"
    )


def test_the_report_of_an_earlier_drill_of_the_day_is_kept(tmp_path):
    """On a Sunday that is the first of a month there are two; a failed one is not written over."""
    path = tmp_path / "disaster-recovery-drill-20251226.md"
    for text in ("first", "second", "third"):
        keep_earlier(path)
        path.write_text(text)
    kept = {one.name: one.read_text() for one in tmp_path.glob("*.md")}
    assert kept == {
        "disaster-recovery-drill-20251226.1.md": "first",
        "disaster-recovery-drill-20251226.2.md": "second",
        "disaster-recovery-drill-20251226.md": "third",
    }
