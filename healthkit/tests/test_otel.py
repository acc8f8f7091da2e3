"""OpenTelemetry gets what Prometheus gets, by the real SDK, and from memory."""

import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Sum
from prometheus_client.parser import text_string_to_metric_families

from healthkit import Outcome, Settings
from healthkit._metrics import OF_BUDGETS, OF_REPORT
from healthkit.otel import instrument
from healthkit.testing import ScriptedCheck

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "opentelemetry.md"
SUFFIXES = {"s": "_seconds", "min": "_minutes", "1": "_ratio"}
"""Of OpenTelemetry's translation to Prometheus; what stands in braces is left out."""
SECRET = "hunter2hunter2"


@pytest.fixture
def collected():
    """`collected(health)`: instrument name to the metric that a reader gets, on each call anew."""
    providers = []

    def collect(health):
        reader = InMemoryMetricReader()
        providers.append(MeterProvider([reader], shutdown_on_exit=False))
        instrument(health, providers[-1])

        def metrics():
            data = reader.get_metrics_data()
            (scope,) = data.resource_metrics[0].scope_metrics
            return {metric.name: metric for metric in scope.metrics}

        return metrics

    yield collect
    for provider in providers:
        provider.shutdown()


@pytest.fixture
def promised(make_health):
    """A Health with three checks and an objective that has been read once."""
    slow = {"interval": timedelta(hours=1)}
    health = make_health(
        database=(ScriptedCheck(outcome=lambda: Outcome.unhealthy("gone", pool={"open": 3})), slow),
        disk=(ScriptedCheck(outcome=lambda: Outcome.healthy(used_percent=81.5)), slow),
        **{f"api?token={SECRET}": (ScriptedCheck(), slow)},
    )
    known = {name: getattr(health.settings, name) for name in Settings.model_fields}
    slo = {"open": {"checks": ["disk"], "target": "99.9%"}}
    health.settings = Settings(**{**known, "slo": slo})
    health.start(wait=10)
    health.stop()
    health._pages().refresh()
    return health


def points(metrics):
    """(Prometheus' name, its labels) to the figure."""
    return {
        (
            metric.name.replace(".", "_") + SUFFIXES.get(metric.unit, ""),
            frozenset((key.split(".")[-1], value) for key, value in point.attributes.items()),
        ): point.value
        for metric in metrics.values()
        for point in metric.data.data_points
    }


def test_no_figure_stands_twice_where_names_are_alike_once_they_are_masked(make_health, collected):
    slow = {"interval": timedelta(hours=1)}
    found = Outcome.healthy(**{"token=aaaaaaaaaa": 1, "token=bbbbbbbbbb": 2})
    checks = {f"api?token={SECRET}{n}": (ScriptedCheck(outcome=lambda: found), slow) for n in "ab"}
    health = make_health(**checks)
    health.start(wait=10)
    health.stop()
    metrics = collected(health)()
    assert set(points({"state": metrics["healthkit.check.status"]}).values()) == {0, 1}
    assert len(points({"value": metrics["healthkit.check.value"]})) == 1


def test_the_figures_and_names_are_those_of_prometheus(promised, collected):
    text = promised.response("prometheus").body.decode()
    as_otel = {"check": "name", "slo": "name"}
    stated = {
        (
            sample.name,
            frozenset(
                (key if "name" in sample.labels else as_otel.get(key, key), value)
                for key, value in sample.labels.items()
            ),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert len(stated) > 25
    given = points(collected(promised)())
    values = {key for key in stated if key[0] == "healthkit_check_value"}
    assert {k: v for k, v in given.items() if k[0] != "healthkit_check_value"} == pytest.approx(
        {k: v for k, v in stated.items() if k not in values}, rel=1e-6
    )
    assert len([key for key in given if key[0] == "healthkit_check_value"]) == len(values) == 2


def test_names_units_kinds_and_attributes_are_as_documented(promised, collected):
    rows = re.findall(
        r"^\| `([\w.]+)` \| (?:`([^`]+)`)? ?\| (gauge|up-down counter)[^|]* \|(.*)\|$",
        PAGE.read_text(),
        re.MULTILINE,
    )
    found = {
        (
            metric.name,
            metric.unit,
            "up-down counter" if isinstance(metric.data, Sum) else "gauge",
            frozenset(key for point in metric.data.data_points for key in point.attributes),
        )
        for metric in collected(promised)().values()
    }
    documented = {
        (name, unit, kind, frozenset(re.findall(r"`([^`]+)`", attributes)))
        for name, unit, kind, attributes in rows
    }
    assert len(documented) == len(OF_REPORT) + len(OF_BUDGETS)
    measured = {one for one in documented if one[0] in {name for name, *_ in found}}
    assert found == measured
    silent = {name for name, *_ in documented - measured}
    assert silent <= {"healthkit.slo.budget_left", "healthkit.slo.burn_rate"}, "not enough data yet"
    sums = [one.data for one in collected(promised)().values() if isinstance(one.data, Sum)]
    assert [one.is_monotonic for one in sums] == [False, False]


def test_no_secret_in_a_name_gets_out(promised, collected):
    found = collected(promised)()
    states = found["healthkit.check.status"].data.data_points
    names = {point.attributes["healthkit.check.name"] for point in states}
    assert len(names) == 3
    assert SECRET not in str(names)


def test_collecting_runs_nothing_and_waits_for_nothing(make_health, collected):
    entered, release = threading.Event(), threading.Event()

    def hang():
        entered.set()
        release.wait(60)
        return Outcome.healthy()

    health = make_health(stuck=ScriptedCheck(outcome=hang))
    metrics = collected(health)
    metrics()
    assert health.needs_start, "instruments start no checks"
    health.start()
    try:
        assert entered.wait(60)
        (point,) = metrics()["healthkit.up"].data.data_points
        states = metrics()["healthkit.check.status"].data.data_points
        assert [p.attributes["healthkit.check.status"] for p in states if p.value] == ["unknown"]
        assert point.value == 0
    finally:
        release.set()
        health.stop()


def test_a_report_that_nobody_renews_is_down_here_too(make_health, until, collected):
    health = make_health(database=(ScriptedCheck(), {"interval": timedelta(milliseconds=50)}))
    metrics = collected(health)

    def up():
        (point,) = metrics()["healthkit.up"].data.data_points
        return point.value

    health.start()
    until(lambda: up() == 1)
    health.stop()
    until(lambda: up() == 0)
