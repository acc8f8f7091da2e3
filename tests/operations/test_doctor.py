"""`posapp doctor` speaks of faults alone, changes nothing, shows no secret and never waits long."""

import json
import socket
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql

from healthkit import (
    CheckInfo,
    Health,
    Outcome,
    Report,
    Result,
    ServiceSettings,
    Status,
    load_settings,
)
from healthkit.testing import ManualClock
from posapp.operations.doctor.checks import evaluate_connections
from posapp.operations.doctor.findings import ADVICE, findings_of
from posapp.operations.doctor.kuma import SHOWN, evaluate_differences
from posapp.runtime.connections import RESERVED, Layout
from tests.till import SECRET

NOW = datetime(2026, 11, 26, tzinfo=UTC)
TOKEN = "9c1e5a8d2460b7e9f1a3c5d802467f3b"
CONFIG = """
[service]
name = "x"
[store]
url = "sqlite:///{folder}/healthkit.db"
[checks.database]
type = "database"
url = "${{DATABASE_URL}}"
timeout = "2s"
[checks.migrations]
type = "pos-migrations"
url = "${{DATABASE_URL}}"
depends_on = ["database"]
[checks.clock]
type = "pos-clock"
url = "${{DATABASE_URL}}"
depends_on = ["database", "migrations"]
{more}
"""


def result(name, status=Status.UNHEALTHY, message="it fails", depends_on=()):
    info = CheckInfo(name, name.title(), depends_on=depends_on)
    return Result(info, Outcome(status, message), NOW)


def report(*results):
    return Report(ServiceSettings(name="x").service(), NOW, timedelta(0), results)


# What is a finding


def test_what_another_fault_explains_is_no_finding_and_the_worst_come_first():
    found = findings_of(
        report(
            result("slow", Status.DEGRADED),
            result("fine", Status.HEALTHY),
            result("database"),
            result("migrations", depends_on=("database",)),
            result("books", depends_on=("database", "migrations")),
        ),
        {"database": "database", "migrations": "pos-migrations", "books": "pos-books"},
    )
    assert [one.check for one in found] == ["database", "slow"]


def test_a_fault_behind_a_healthy_one_is_a_finding():
    migrations = result("migrations", depends_on=("database",))
    found = findings_of(report(result("database", Status.HEALTHY), migrations), {})
    assert [one.check for one in found] == ["migrations"]


@pytest.mark.parametrize("kind", [*ADVICE, "a plugin's own"])
def test_each_finding_is_one_line_with_what_how_and_where(kind):
    (found,) = findings_of(report(result("one", message="it is so.")), {"one": kind})
    line = found.line()
    assert "\n" not in line
    assert "it is so. To do: " in line
    assert f". See docs/runbook.md#{found.runbook.partition('#')[2]}" in line
    assert found.remedy
    assert set(found.as_json()) == {"area", "check", "status", "what", "remedy", "runbook"}


@pytest.mark.parametrize("backends", [1, 2, 3, 10])
@pytest.mark.parametrize("pool", [1, 25, 100])
def test_connections_are_enough_exactly_when_all_that_are_needed_fit(backends, pool):
    layout = Layout(backends, 2, pool)
    enough = layout.needed + RESERVED
    assert evaluate_connections(layout, 0, enough).status is Status.HEALTHY
    lacking = evaluate_connections(layout, 0, enough - 1)
    assert lacking.status is Status.DEGRADED
    assert f"max_connections={enough}" in lacking.message


@pytest.mark.parametrize(("used", "crowded"), [(89, False), (90, True), (100, True)])
def test_connections_that_are_nearly_used_up_are_a_fault(used, crowded):
    outcome = evaluate_connections(Layout(1, 1, 1), used, 100)
    assert (outcome.status is Status.UNHEALTHY) is crowded


def test_what_the_server_keeps_for_others_and_what_a_role_may_have_are_counted():
    layout = Layout(1, 1, 1)
    most = layout.needed + RESERVED
    assert evaluate_connections(layout, 0, most, reserved=RESERVED).status is Status.HEALTHY
    kept = evaluate_connections(layout, 0, most, reserved=RESERVED + 5)
    assert kept.status is Status.DEGRADED
    assert f"max_connections={most + 5}" in kept.message
    limits = {"role pos": layout.needed}
    assert evaluate_connections(layout, 0, most, limits=limits).status is Status.HEALTHY
    few = evaluate_connections(layout, 0, most, limits={"role pos": layout.needed - 1})
    assert few.status is Status.DEGRADED
    assert f"CONNECTION LIMIT {layout.needed - 1}" in few.message


def test_a_limit_of_the_role_is_found_on_a_server(command, place, postgres, template_database):
    url = postgres.create("limited", template_database)
    postgres.execute("CREATE ROLE limited LOGIN CONNECTION LIMIT 7 IN ROLE pg_read_all_data")
    own = address(url.set(username="limited", password=None))
    done = command("doctor", **place(DATABASE_URL=own))
    postgres.drop("limited")
    postgres.execute("DROP ROLE limited")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("pool: "))
    assert "the role limited may have fewer: it has CONNECTION LIMIT 7" in line


@pytest.mark.parametrize("count", [0, 1, SHOWN, SHOWN + 1, 40])
def test_the_first_few_differences_are_named_and_the_others_counted(count):
    outcome = evaluate_differences([f"step {number}" for number in range(count)])
    assert (outcome.status is Status.HEALTHY) is (count == 0)
    assert str(outcome.message).count("step") == min(count, SHOWN)
    assert (f"and {count - SHOWN} more" in str(outcome.message)) is (count > SHOWN)


# The command


@pytest.fixture
def place(tmp_path):
    """A POS that nothing is wrong with, but for its database: `place(more)` is its environment."""
    (tmp_path / "data").mkdir()

    def environ(more="", **variables):
        config = tmp_path / "healthkit.toml"
        config.write_text(CONFIG.format(folder=tmp_path, more=more))
        return {
            "HEALTHKIT_CONFIG": str(config),
            "POS_DATA_DIR": str(tmp_path / "data"),
            "BACKUP_DIR": str(tmp_path / "backups"),
            "JWT_SECRET": SECRET,
            "DB_MAX_OPEN_CONNS": "5",
            **variables,
        }

    return environ


def address(url):
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]  # bound, and nobody listens


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_nothing_wrong_is_one_line_and_leaves_no_trace(command, place, database, cursor, tmp_path):
    environ = place(DATABASE_URL=address(database))
    read_only = "ALTER DATABASE {} SET default_transaction_read_only = on"
    cursor.execute(sql.SQL(read_only).format(sql.Identifier(database.database)))
    before = files(tmp_path)
    done = command("doctor", **environ)
    cursor.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(sql.Identifier(database.database)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing is wrong.\n", "")
    assert files(tmp_path) == before
    done = command("doctor", "--json", **environ)
    assert json.loads(done.stdout) == {"status": "healthy", "findings": []}


def test_a_store_that_a_watcher_has_written_is_read_as_it_is(command, place, database, tmp_path):
    more = '[checks.nightly]\ntype = "heartbeat"\nevery = "1h"\n'
    environ = place(more, DATABASE_URL=address(database))
    document = {
        "service": {"name": "x"},
        "store": {"url": f"sqlite:///{tmp_path}/healthkit.db"},
        "checks": {"nightly": {"type": "heartbeat", "every": "1h"}},
    }
    clock = ManualClock(datetime.now(UTC) - timedelta(hours=5))
    health = Health(load_settings(document), clock=clock)
    health.beat("nightly")
    health.stop()
    before = files(tmp_path)
    done = command("doctor", **environ)
    assert done.returncode == 1
    assert done.stdout.startswith("heartbeats: late by")
    assert files(tmp_path) == before


STORES = {
    "no address": "foo",
    "a folder": "sqlite:///{folder}",
    "another database": "mysql://pos:geheim@x/y",
    "a port beyond all": "postgresql://pos:geheim@127.0.0.1:99999/x",
}


@pytest.mark.parametrize("kind", STORES)
def test_a_store_that_cannot_be_one_is_a_mistake_in_one_line(
    command, place, database, tmp_path, kind
):
    environ = place(DATABASE_URL=address(database))
    config = Path(environ["HEALTHKIT_CONFIG"])
    store = STORES[kind].format(folder=tmp_path)
    config.write_text(config.read_text().replace(f"sqlite:///{tmp_path}/healthkit.db", store))
    done = command("doctor", **environ)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "store" in line
    assert "geheim" not in line
    done = command("doctor", "--json", **environ)
    (error,) = json.loads(done.stdout)["errors"]
    assert (done.returncode, error.partition(": ")[0]) == (2, line.partition(": ")[0])


def test_a_shared_store_that_is_not_there_is_as_good_as_none(
    command, place, database, tmp_path, closed_port
):
    environ = place(DATABASE_URL=address(database))
    config = Path(environ["HEALTHKIT_CONFIG"])
    store = f"postgresql://pos:geheim@127.0.0.1:{closed_port}/x"
    config.write_text(config.read_text().replace(f"sqlite:///{tmp_path}/healthkit.db", store))
    done = command("doctor", **environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing is wrong.\n", "")


def test_a_folder_of_backups_that_no_disk_has_is_looked_for_above(command, place, database):
    environ = place(DATABASE_URL=address(database), BACKUP_DIR=f"/tmp/{'a' * 5000}")
    assert command("doctor", **environ).stderr == ""


S3 = {"BACKUP_S3_ACCESS_KEY": "key", "BACKUP_S3_SECRET_KEY": "geheim-s3"}
FAULTS = {
    "disk": ('[checks.disk]\ntype = "disk"\npath = "/"\nwarn = "0%"\nfail = "0.1%"\n', {}),
    "backups": ('[checks.b]\ntype = "backup-freshness"\nlocation = "{folder}/none"\n', {}),
    "backups in the bucket": (
        "",
        {"BACKUP_S3_BUCKET": "b", "BACKUP_S3_ENDPOINT": "http://127.0.0.1:{port}", **S3},
    ),
    "channels": ('[checks.alerting]\ntype = "alerting"\n', {}),
    "service": ('[checks.web]\ntype = "http"\nurl = "http://127.0.0.1:{port}/"\n', {}),
    "certificate": ("", {"CORS_ALLOWED_ORIGINS": "https://127.0.0.1:{port}"}),
    "sentry": ("", {"SENTRY_DSN": "http://geheimkey@127.0.0.1:{port}/1"}),
    "kuma": ("", {"KUMA_URL": "http://127.0.0.1:{port}"}),
    "kuma with its password": (
        "",
        {"KUMA_URL": "http://127.0.0.1:{port}", "KUMA_PASSWORD": "geheim-kata", "POS_URL": "x"},
    ),
    "pool": ("", {"DB_MAX_OPEN_CONNS": "200"}),
    "configuration": ("", {"ENVIRONMENT": "production", "BACKUP_KEY": ""}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_named_by_its_area(
    command, place, database, tmp_path, closed_port, fault
):
    more, variables = FAULTS[fault]
    marks = {"folder": tmp_path, "port": closed_port}
    environ = {name: value.format(**marks) for name, value in variables.items()}
    done = command(
        "doctor", **place(more.format(**marks), DATABASE_URL=address(database), **environ)
    )
    assert done.returncode == 1, done.stderr
    area = fault.partition(" ")[0]
    assert area in {line.partition(":")[0] for line in done.stdout.splitlines()}
    assert len([line for line in done.stdout.splitlines() if line.startswith(f"{area}:")]) == 1
    others = {line.partition(":")[0] for line in done.stdout.splitlines()} - {area}
    assert others <= ({"channels"} if "ENVIRONMENT" in variables else set())
    assert "geheim" not in done.stdout


def test_an_old_schema_is_told_with_its_command(command, place, postgres, template_database):
    url = postgres.create("old_schema", template_database)
    postgres.execute("ALTER DATABASE old_schema RESET ALL")
    with closing(psycopg2.connect(address(url))) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE alembic_version SET version_num = '0010'")
        connection.commit()
    done = command("doctor", **place(DATABASE_URL=address(url)))
    postgres.drop("old_schema")
    assert done.returncode == 1
    assert done.stdout.startswith("migrations: the database has 0010")
    assert "posapp db upgrade" in done.stdout


def test_a_database_that_refuses_is_one_finding_without_its_password(command, place, closed_port):
    url = f"postgresql://pos:geheim-kata@127.0.0.1:{closed_port}/pos"
    done = command("doctor", "--json", **place(DATABASE_URL=url))
    body = json.loads(done.stdout)
    assert done.returncode == 1
    assert [one["area"] for one in body["findings"]] == ["database"]
    assert "geheim" not in done.stdout


@pytest.mark.deep
@pytest.mark.timeout(40)
def test_it_ends_while_the_database_takes_connections_and_says_nothing(command, place):
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        url = f"postgresql://pos@127.0.0.1:{silent.getsockname()[1]}/pos"
        done = command("doctor", **place(DATABASE_URL=url))
    assert done.returncode == 1
    assert done.stdout.startswith("database: no answer within")
    assert len(done.stdout.splitlines()) == 1


def test_where_there_is_no_database_yet_none_is_made(command, place, tmp_path):
    before = files(tmp_path / "data")
    done = command("doctor", **place())
    assert done.returncode == 1
    assert done.stdout.startswith("database: there is none yet under")
    assert files(tmp_path / "data") == before


def test_a_plan_that_cannot_be_made_is_a_finding(command, place, database):
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        told = {"KUMA_URL": url, "KUMA_PASSWORD": "geheim-kata"}
        for more, said in (({}, "POS_URL"), ({"POS_URL": "http://x"}, "is no Uptime Kuma")):
            done = command("doctor", **place(DATABASE_URL=address(database), **told, **more))
            assert done.returncode == 1
            assert done.stdout.startswith("kuma: ")
            assert said in done.stdout
            assert "geheim" not in done.stdout
        server.shutdown()


BAD = {
    "a variable": {"PORT": "eighty"},
    "a file that is not there": {"HEALTHKIT_CONFIG": "/nowhere/healthkit.toml"},
    "an address": {"KUMA_URL": "kuma"},
    "a DSN": {"SENTRY_DSN": "geheim-dsn"},
    "production without its secret": {"ENVIRONMENT": "production", "JWT_SECRET": "short"},
}


@pytest.mark.parametrize("mistake", BAD)
def test_with_a_configuration_that_cannot_be_used_it_cannot_tell(command, place, mistake):
    environ = {**place(), **BAD[mistake]}
    done = command("doctor", **environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip()
    assert "geheim" not in done.stderr
    done = command("doctor", "--json", **environ)
    body = json.loads(done.stdout)
    assert done.returncode == 2
    assert body["status"] == "unknown"
    assert body["errors"]


def test_an_option_that_does_not_exist_is_a_mistake_of_one_line(command, place):
    done = command("doctor", "--backends", "0", **place())
    assert done.returncode == 2
