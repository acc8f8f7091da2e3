"""The figures of `/metrics` through OpenTelemetry, under its names and units.

    instrument(health)      # once; the provider is the global one, or the one that is handed in

Instruments are observed: whenever the provider collects, they are read from memory. Nothing is run
or waited for, and the exporter is whichever the application has set up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import Any, TypeVar

from healthkit._health import Health
from healthkit._metrics import OF_BUDGETS, OF_REPORT, Metric
from healthkit.masking import mask

try:
    from opentelemetry import metrics
except ModuleNotFoundError as error:
    raise ImportError(
        "healthkit.otel needs opentelemetry-api: pip install 'healthkit-core[otel]'"
    ) from error

T = TypeVar("T")
_ATTRIBUTES = {
    "check": "healthkit.check.name",
    "severity": "healthkit.check.severity",
    "status": "healthkit.check.status",
    "name": "healthkit.value.name",
    "slo": "healthkit.slo.name",
    "window": "healthkit.slo.window",
    "state": "healthkit.slo.state",
}
"""OpenTelemetry's attribute for each label of Prometheus."""


def instrument(health: Health, meter_provider: metrics.MeterProvider | None = None) -> None:
    """Gives what `/metrics` says, budgets of objectives included, to a provider (default: the
    global one, also where that is set up later), for as long as the process lives.

    It starts no checks: a mount, or `health.start()`, does.
    """
    meter = metrics.get_meter("healthkit", version("healthkit-core"), meter_provider)
    for of_report in OF_REPORT:
        _create(meter, of_report, lambda: health.measured()[0])
    for of_budgets in OF_BUDGETS if health.settings.slo else ():
        _create(meter, of_budgets, lambda: health.measured()[1])


def _create(meter: metrics.Meter, metric: Metric[T], source: Callable[[], T]) -> None:
    def observe(options: Any) -> Iterable[metrics.Observation]:
        return _observations(metric, source())

    # By convention a state is a sum: of many services, how many are in it.
    create: Callable[..., Any] = (
        meter.create_observable_up_down_counter
        if metric.is_state
        else meter.create_observable_gauge
    )
    create(f"healthkit.{metric.name}", [observe], unit=metric.unit, description=metric.explained)


def _observations(metric: Metric[T], source: T) -> Iterator[metrics.Observation]:
    names = [_ATTRIBUTES[label] for label in metric.labels]
    # Two names may be one once they are masked, and states of both would be added up.
    samples = {tuple(map(mask, texts)): figure for texts, figure in metric.read(source)}
    for texts, figure in samples.items():
        yield metrics.Observation(figure, dict(zip(names, texts, strict=True)))
