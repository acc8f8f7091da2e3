"""Objectives from the configuration to the store, the page, `/metrics`, the command and alerts."""

import json
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

import healthkit
from healthkit import (
    Check,
    CheckContext,
    ConfigError,
    Health,
    Outcome,
    ServiceSettings,
    Settings,
    SloSettings,
    Status,
    configure_check,
    hookimpl,
    load_settings,
)
from healthkit._alerts import messages
from healthkit._alerts.processor import ResultProcessor, SequencedResult
from healthkit._config.objectives import objectives_of
from healthkit._config.table import ConfigTable
from healthkit._model.budget_rules import budget
from healthkit._model.budgets import BudgetState
from healthkit._model.checks import Result
from healthkit._model.uptime import Uptime
from healthkit._status.publisher import STALE_AFTER
from healthkit._store import history, incidents
from healthkit._store.database import Store
from healthkit._store.measures import measure
from healthkit._watcher.budgets import with_budget_checks
from healthkit.cli import main
from healthkit.testing import ManualClock, wait_until

NOW = datetime(2026, 1, 20, 3, 30, tzinfo=UTC)  # 10:30 in Jakarta
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Fine(Check):
    """A check that is always healthy."""

    def run(self, context):
        return Outcome.healthy()


class Requests(Fine):
    """A check that counts events."""

    counts_events = True

    def run(self, context):
        return Outcome.healthy(good=99, events=100)


class Plugin:
    @hookimpl
    def healthkit_check_types(self):
        return {"fine": Fine, "requests": Requests}


def document(url="sqlite://", checks=("database",), kind="fine", **slo):
    return {
        "service": {"name": "Till", "timezone": "Asia/Jakarta"},
        "store": {"url": url},
        "status": {"access": "public"},
        "checks": {name: {"type": kind, "interval": "60s"} for name in checks},
        "slo": {"open": {"checks": list(checks), "target": "99.9%", **slo}},
        "channels": {"people": {"url": "log://"}},
        "routes": {"high": {"channels": ["people"], "remind_every": "30m"}},
    }


def settings_of(url="sqlite://", more=None, **given):
    return load_settings(document(url, **given) | (more or {}), environ={}, plugins=[Plugin()])


def add(store, check, begin, minutes, status="healthy", events=None):
    """A result each minute."""
    rows = [
        history.Row(check, begin + n * MINUTE, status, 0.01, events) for n in range(int(minutes))
    ]
    with store.transaction() as connection:
        history.add(connection, rows, NOW)


def read(store, settings, now=NOW):
    (objective,) = objectives_of(settings).values()
    with store.reading() as connection:
        return budget(objective, measure(connection, objective, now))


# The configuration


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"checks": ["databse"]}, "slo.open.checks: unknown check 'databse'"),
        ({"checks": []}, "slo.open.checks: Tuple should have at least 1 item"),
        ({"checks": None}, "slo.open.checks"),
        ({"target": "100%"}, "slo.open.target: must be between 0% and 100%"),
        ({"target": "0%"}, "slo.open.target: must be between 0% and 100%"),
        ({"target": "0.999"}, "slo.open.target: '0.999' is not a share"),
        ({"window": "7d"}, "slo.open.window: Input should be '30d' or 'month'"),
        ({"least_failures": 1}, "slo.open.least_failures"),
        ({"severity": "grave"}, "slo.open.severity"),
        ({"targt": "99%"}, "slo.open.targt: unknown key; did you mean target?"),
    ],
)
def test_each_mistake_in_an_objective_is_named_by_its_key(changed, said):
    given = document()
    given["slo"]["open"] |= changed
    with pytest.raises(ConfigError) as caught:
        load_settings(given, environ={}, plugins=[Plugin()])
    assert any(said in line for line in caught.value.lines()), caught.value.lines()


def test_names_that_are_taken_or_too_long_and_checks_of_two_kinds_are_mistakes():
    given = document(checks=("database", "slo-open"))
    given["slo"]["x" * 61] = {"checks": ["database"], "target": "99%"}
    given["checks"]["requests"] = {"type": "requests"}
    given["slo"]["both"] = {"checks": ["database", "requests"], "target": "99%"}
    with pytest.raises(ConfigError) as caught:
        load_settings(given, environ={}, plugins=[Plugin()])
    said = "\n".join(caught.value.lines())
    assert "slo.open: a check has the name of its alerts, slo-open; choose another" in said
    assert f"slo.{'x' * 61}: a name has 60 characters at most" in said
    assert "slo.both.checks: requests counts events and the others do not; make two of it" in said


def test_settings_made_in_python_are_validated_alike():
    def make(**slo):
        return Settings(
            service=ServiceSettings(name="Till"),
            checks=[configure_check("database", Fine())],
            slo={"open": SloSettings(**{"checks": ["database"], "target": "99.9%"} | slo)},
        )

    assert objectives_of(make())["open"].allowed * 1000 == 1
    with pytest.raises(ConfigError, match="unknown check 'databas'"):
        make(checks=["databas"])


def test_every_table_of_the_settings_can_be_made_from_public_names():
    kinds = [kind for field in Settings.model_fields.values() for kind in parts(field.annotation)]
    tables = {
        kind.__name__ for kind in kinds if isinstance(kind, type) and issubclass(kind, ConfigTable)
    }
    assert len(tables) > 8
    assert tables <= set(healthkit.__all__), tables


def parts(annotation):
    return [annotation, *(one for arg in get_args(annotation) for one in parts(arg))]


def test_a_check_from_code_is_added_beside_an_objective_of_what_the_watcher_alone_runs(tmp_path):
    (tmp_path / "healthkit.toml").write_text(
        '[service]\nname = "Till"\n[checks.nightly]\ntype = "heartbeat"\nevery = "24h"\n'
        'watch_only = true\n[slo.jobs]\nchecks = ["nightly"]\ntarget = "99%"\n'
    )
    health = Health.from_file(tmp_path / "healthkit.toml", environ={})
    health.check("queue")(lambda: True)
    assert [check.info.name for check in health.settings.checks] == ["queue"]


# The store


def test_a_budget_is_the_same_before_and_after_its_results_are_summed_up(store):
    settings = settings_of()
    begin = NOW.replace(minute=0) - 48 * HOUR
    add(store, "database", begin, 600)
    add(store, "database", begin + 10 * HOUR, 12, "unhealthy")
    add(store, "database", begin + 10 * HOUR + 12 * MINUTE, 48, "degraded")
    add(store, "database", begin + 11 * HOUR, 37 * 60 + 30)
    before = read(store, settings)
    with store.transaction() as connection:
        history.roll_up(connection, NOW)
    after = read(store, settings)
    assert before == after
    assert (after.total_minutes, after.left_minutes) == (43, 31)  # 43.2 - 12


def test_planned_maintenance_takes_nothing_from_a_budget_and_is_not_silence(store):
    begin = NOW.replace(minute=0) - 3 * HOUR
    add(store, "database", begin, 180)
    add(store, "database", begin + 3 * HOUR, 30, "maintenance")
    found = read(store, settings_of())
    assert (found.state, found.left) == (BudgetState.OK, found.total)


def test_what_happened_last_month_is_not_this_months(store):
    now = datetime(2026, 1, 1, 3, 30, tzinfo=UTC)  # the first in Jakarta, since 17:00
    midnight = datetime(2025, 12, 31, 17, tzinfo=UTC)
    add(store, "database", midnight - 2 * HOUR, 120, "unhealthy")
    add(store, "database", midnight, 630)
    month = read(store, settings_of(window="month"), now)
    assert (month.state, month.left) == (BudgetState.OK, month.total)
    assert month.total == timedelta(seconds=2678)  # a thousandth of 31 days, floored
    assert read(store, settings_of(), now).left < timedelta(0)


def test_events_are_what_a_check_of_them_is_measured_by(store):
    settings = settings_of(checks=("requests",), kind="requests")
    begin = NOW.replace(minute=0) - 30 * 24 * HOUR + HOUR
    for hours in range(0, 30 * 24, 72):
        add(store, "requests", begin + hours * HOUR, 1, "unhealthy", Uptime(4_999, 5_000))
    add(store, "requests", NOW - MINUTE, 1, "healthy", None)
    with store.transaction() as connection:
        history.roll_up(connection, NOW, NOW - timedelta(days=40))
    found = read(store, settings)
    assert found.state is BudgetState.OK
    assert found.left_minutes == 34  # a fifth of 43.2 minutes is gone


def test_events_reach_the_store_by_the_watchers_own_processor(store):
    counts = [(3, 0), (0, 4), (0, 0), (17, 2)]
    settings = settings_of(checks=("requests",), kind="requests")
    processor = ResultProcessor(settings, 0)
    info = settings.checks[0].info
    results = [
        SequencedResult(n + 1, Result(info, Outcome.healthy(good=g, events=g + b), NOW))
        for n, (g, b) in enumerate(counts)
    ]
    with store.transaction() as connection:
        processor.load(connection)
        processor.process(connection, results, NOW)
        found = history.uptime(connection, NOW, HOUR, events=True)["requests"]
    assert found == Uptime(20, 26)


def test_a_store_of_version_5_is_brought_up_to_date_with_its_results(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    old = Store(url)
    with old.transaction() as connection:
        history.add(connection, [history.Row("database", NOW - MINUTE, "healthy", 0.01)], NOW)
        for table in ("healthkit_history", "healthkit_history_hourly"):
            for column in ("good_events", "events"):
                connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(text("UPDATE healthkit_schema SET version = 5"))
    old.close()
    new = Store(url)
    add(new, "database", NOW - 2 * MINUTE, 1, "healthy", Uptime(1, 2))
    with new.reading() as connection:
        assert history.uptime(connection, NOW, HOUR)["database"] == Uptime(2, 2)
        assert history.uptime(connection, NOW, HOUR, events=True) == {"database": Uptime(1, 2)}
    new.close()


# Whoever reads it


@pytest.fixture
def lite_url(tmp_path):
    return f"sqlite:///{tmp_path}/lite.db"


@pytest.fixture
def lite(lite_url):
    store = Store(lite_url)
    yield store
    store.close()


@pytest.fixture
def burning(lite):
    """A database that has been down for the last ten minutes."""
    begin = NOW.replace(minute=0) - 30 * HOUR
    add(lite, "database", begin, 30 * 60 + 20)
    add(lite, "database", NOW - 10 * MINUTE, 10, "unhealthy")
    return lite


def test_the_page_says_it_in_both_languages_and_json_in_minutes(burning, lite_url):
    clock = ManualClock(NOW)
    settings = settings_of(lite_url, window="month", label="The tills <work>")
    health = Health(settings, clock=clock)
    page = health.status_page()
    page.refresh()
    english = page.response("html", "en").body.decode()
    assert "What we promise" in english
    assert "The tills &lt;work&gt;" in english
    assert "99.9% of the month" in english
    assert "At this pace the month&#39;s 44 minutes are gone in" in english
    indonesian = page.response("html", "id").body.decode()
    assert "Dengan laju ini jatah 44 menit bulan ini habis dalam" in indonesian
    (found,) = json.loads(page.response("json").body)["objectives"]
    assert found == {
        "label": "The tills <work>",
        "target": "99.9%",
        "window": "month",
        "state": "burning-fast",
        "budget_minutes": 44,
        "left_minutes": 34,
    }
    health.stop()


def test_what_is_not_public_is_not_on_the_page(burning, lite_url):
    health = Health(settings_of(lite_url, public=False), clock=ManualClock(NOW))
    health.status_page().refresh()
    assert json.loads(health.status_page().response("json").body)["objectives"] == []
    assert "What we promise" not in health.status_page().response("html").body.decode()
    health.stop()


@pytest.mark.parametrize("access", ["public", "off"])
def test_prometheus_reads_the_budgets_while_they_are_measured(burning, lite_url, access):
    clock = ManualClock(NOW)
    health = Health(settings_of(lite_url, more={"status": {"access": access}}), clock=clock)

    def samples():
        body = health.response("prometheus").body.decode()
        families = text_string_to_metric_families(body)
        return {
            (s.name, *sorted(s.labels.items())): s.value
            for family in families
            for s in family.samples
            if s.name.startswith("healthkit_slo")
        }

    assert samples() == {}  # nobody has read the store yet
    health._pages().refresh()
    name = ("slo", "open")
    found = samples()
    assert found["healthkit_slo_target_ratio", name] == 0.999
    assert found["healthkit_slo_budget_minutes", name] == 43
    assert found["healthkit_slo_budget_left_minutes", name] == 33
    assert found["healthkit_slo_state", name, ("state", "burning-fast")] == 1
    assert found["healthkit_slo_burn_rate", name, ("window", "5m0s")] == 1000
    assert (health.status_page() is None) is (access == "off")
    clock.advance(STALE_AFTER)
    assert samples() == {}
    health.stop()


def test_the_command_shows_what_is_left(burning, lite_url, tmp_path):
    (tmp_path / "plugin.py").write_text(
        "from healthkit import Check, Outcome, hookimpl\n"
        "class Fine(Check):\n    def run(self, context): return Outcome.healthy()\n"
        "@hookimpl\ndef healthkit_check_types(): return {'fine': Fine}\n"
    )
    (tmp_path / "healthkit.toml").write_text(
        f'[service]\nname = "Till"\n[store]\nurl = "{lite_url}"\n'
        '[checks.database]\ntype = "fine"\n[checks.new]\ntype = "fine"\n'
        '[slo.open]\nchecks = ["database"]\ntarget = "99%"\n'
        '[slo.new]\nchecks = ["new"]\ntarget = "99.9%"\nwindow = "month"\n'
    )
    options = ["--config", str(tmp_path / "healthkit.toml"), "--plugins-dir", str(tmp_path)]
    done = CliRunner().invoke(main, ["status", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (known,) = [line.split() for line in done.output.splitlines() if line.startswith("open ")]
    assert known[:4] == ["open", "99%", "of", "30"]
    (new,) = [
        line for line in done.output.splitlines() if line.startswith("new ") and "99.9%" in line
    ]
    assert "not-enough-data" in new
    assert "Not enough data yet." in new
    done = CliRunner().invoke(main, ["silence", "add", "slo-open", "--for", "1h", *options])
    assert done.exit_code == 0, done.output


# Alerts


@pytest.fixture
def watched(lite, lite_url):
    """Runs the objective's check as a watcher does, and returns the events with their words."""

    def run(now, times=2, **given):
        settings = with_budget_checks(settings_of(lite_url, **given), lite.measure)
        (one,) = [c for c in settings.checks if c.info.name == "slo-open"]
        processor = state.setdefault("processor", ResultProcessor(settings, 0))
        told = []
        for _ in range(times):
            state["number"] = state.get("number", 0) + 1
            outcome = one.check.run(CheckContext(one.info.name, now, 5.0))
            # through the store's own form, as every result goes
            result = SequencedResult(state["number"], Result(one.info, outcome, now))
            with lite.transaction() as connection:
                if state["number"] == 1:
                    processor.load(connection)
                told += processor.process(connection, [result], now)
        return [messages.compose(event, settings) for event in told]

    state = {}
    return run


def test_staff_are_told_when_it_goes_too_fast_and_when_it_lasts_again(burning, watched):
    (down,) = watched(NOW, window="month")
    assert down.title == "🔴 Open: too much is being lost"
    assert down.lines[0].startswith("At this pace the month's 44 minutes are gone in ")
    assert down.lines[1] == "Of the month's 44 minutes, 34 minutes are left."
    assert down.lines[2:4] == ("Target: 99.9%", "Time: 2026-01-20 10:30:00 WIB")
    (incident,) = [i for i in incidents_of(burning) if i.check == "slo-open"]
    assert incident.ended_at is None
    add(burning, "database", NOW, 12 * 60)
    reminder, again = watched(NOW + 12 * HOUR, window="month")
    assert reminder.lines[-1].startswith("Reminder 1. To stop these reminders: healthkit ack ")
    assert again.title == "✅ Open: the budget lasts again"


def incidents_of(store):
    with store.reading() as connection:
        return incidents.latest(connection, 10)


def test_in_indonesian_too(burning, watched):
    (down,) = watched(NOW, more={"messages": {"language": "id"}})
    assert down.title == "🔴 Open: terlalu banyak yang hilang"
    assert down.lines[0].startswith("Dengan laju ini jatah 43 menit untuk 30 hari habis dalam ")


def test_one_failed_result_tells_nobody(lite, watched):
    begin = NOW.replace(minute=0) - 30 * HOUR
    add(lite, "database", begin, 30 * 60 + 29)
    add(lite, "database", NOW - MINUTE, 1, "unhealthy")
    assert watched(NOW) == []


def test_absent_data_is_told(lite, watched):
    add(lite, "database", NOW - 30 * HOUR, 29 * 60)
    (down,) = watched(NOW)
    assert down.title == "⚠️ Open: it is not being measured"
    assert "Not measured right now: no result has come lately." in down.lines


def test_a_new_service_tells_nobody(lite, watched):
    add(lite, "database", NOW - 10 * MINUTE, 10, "unhealthy")
    assert watched(NOW) == []


def test_a_watcher_runs_it_and_a_server_does_not(site):
    site.write(more='[slo.open]\nchecks = ["database"]\ntarget = "99.9%"\n').thread()

    def seen():
        with site.store.reading() as connection:
            return "slo-open" in incidents.load_states(connection)

    wait_until(seen)
    site.told()
    health = Health.from_file(site.config, plugins_dir=None, plugins=[FromFile()], environ={})
    assert [check.info.name for check in health.settings.checks] == ["database"]
    assert health.check_once().result("database").outcome.status is Status.HEALTHY
    health.stop()


class FromFile:
    """The type that the site's check is of."""

    @hookimpl
    def healthkit_check_types(self):
        return {"from-file": _Reads}


class _Reads(Fine):
    file: str
