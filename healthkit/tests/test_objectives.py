"""Objectives from the configuration to the store, which counts what is left of them."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from sqlalchemy import text

import healthkit
from healthkit import (
    ConfigError,
    Health,
    Outcome,
    ServiceSettings,
    Settings,
    SloSettings,
    configure_check,
    load_settings,
)
from healthkit._alerts.processor import ResultProcessor, SequencedResult
from healthkit._config.objectives import objectives_of
from healthkit._config.table import ConfigTable
from healthkit._model.budget_rules import budget
from healthkit._model.budgets import BudgetState
from healthkit._model.checks import Result
from healthkit._model.uptime import Uptime
from healthkit._store import history
from healthkit._store.database import Store
from healthkit._store.measures import measure

from .objectives_kit import HOUR, MINUTE, NOW, Fine, Plugin, add, document, settings_of


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
