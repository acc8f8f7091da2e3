"""The figures of a report and of objectives: what each is called, its unit, and how it is read.

One list for Prometheus and OpenTelemetry. A name and a unit are OpenTelemetry's (UCUM; in braces
what is counted); Prometheus' name is made of them as OpenTelemetry's own translation does it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from healthkit._model.budgets import Budget, BudgetState
from healthkit._model.checks import Report, Result, Status
from healthkit.fields import format_duration

Source = TypeVar("Source")
Budgets = Mapping[str, Budget]
Sample = tuple[tuple[str, ...], float]
"""The text of each label, and the figure."""

_SUFFIXES = {"s": "_seconds", "min": "_minutes", "1": "_ratio"}


@dataclass(frozen=True, slots=True)
class Metric(Generic[Source]):
    """One figure of everything that a source has."""

    name: str
    unit: str
    explained: str
    labels: tuple[str, ...]
    read: Callable[[Source], Iterable[Sample]]
    is_state: bool = False
    """Whether it is 1 for the one state that holds, and 0 for the others."""

    @property
    def prometheus_name(self) -> str:
        return f"healthkit_{self.name.replace('.', '_')}{_SUFFIXES.get(self.unit, '')}"


def _each(read: Callable[[Result], float | None]) -> Callable[[Report], Iterator[Sample]]:
    """Reads a figure of each check, where it has one."""

    def samples(report: Report) -> Iterator[Sample]:
        for result in report.results:
            if (figure := read(result)) is not None:
                yield (result.check.name,), figure

    return samples


def _states(report: Report) -> Iterator[Sample]:
    for result in report.results:
        name, severity = result.check.name, result.check.severity.value
        for state in Status:
            yield (name, severity, state.value), float(result.outcome.status is state)


def _values(report: Report) -> Iterator[Sample]:
    for result in report.results:
        for name, number in _numbers(result.outcome.details):
            yield (result.check.name, name), number


def _numbers(details: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Yields the finite numbers of a check's details, one level deep: `connection_pool.in_use`."""
    for key, value in details.items():
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float) and math.isfinite(value):
            yield f"{prefix}{key}", float(value)
        elif isinstance(value, Mapping) and not prefix:
            yield from _numbers(value, f"{key}.")


OF_REPORT: tuple[Metric[Report], ...] = (
    Metric(
        "up",
        "{service}",
        "Whether the service is not unhealthy.",
        (),
        lambda report: [((), float(report.status is not Status.UNHEALTHY))],
    ),
    Metric(
        "uptime",
        "s",
        "Time since the process began to check.",
        (),
        lambda report: [((), report.uptime.total_seconds())],
    ),
    Metric(
        "check.status",
        "{check}",
        "1 for the status that the check has now.",
        ("check", "severity", "status"),
        _states,
        is_state=True,
    ),
    Metric(
        "check.duration",
        "s",
        "Time that the last run took.",
        ("check",),
        _each(lambda result: result.duration),
    ),
    Metric(
        "check.timed_out",
        "{check}",
        "Whether the last run overran its timeout.",
        ("check",),
        _each(lambda result: float(result.timed_out)),
    ),
    Metric(
        "check.last_run.timestamp",
        "s",
        "When the last result came.",
        ("check",),
        _each(lambda result: result.at.timestamp()),
    ),
    Metric("check.value", "", "A number that the check has found.", ("check", "name"), _values),
)


def _budget(read: Callable[[Budget], float | None]) -> Callable[[Budgets], Iterator[Sample]]:
    """Reads a figure of each objective, where it is known."""

    def samples(budgets: Budgets) -> Iterator[Sample]:
        for name, one in budgets.items():
            if (figure := read(one)) is not None:
                yield (name,), figure

    return samples


def _left(budget: Budget) -> float | None:
    return None if budget.state is BudgetState.NOT_ENOUGH_DATA else budget.left_minutes


def _burn_rates(budgets: Budgets) -> Iterator[Sample]:
    for name, one in budgets.items():
        for span, rate in one.burn.items():
            if rate is not None:
                yield (name, format_duration(span)), float(rate)


def _budget_states(budgets: Budgets) -> Iterator[Sample]:
    for name, one in budgets.items():
        for state in BudgetState:
            yield (name, state.value), float(one.state is state)


OF_BUDGETS: tuple[Metric[Budgets], ...] = (
    Metric(
        "slo.target",
        "1",
        "The share of results that is promised.",
        ("slo",),
        _budget(lambda budget: float(budget.target)),
    ),
    Metric(
        "slo.budget",
        "min",
        "What may be lost in the window.",
        ("slo",),
        _budget(lambda budget: budget.total_minutes),
    ),
    Metric(
        "slo.budget_left",
        "min",
        "What is left; below 0 when more was lost.",
        ("slo",),
        _budget(_left),
    ),
    Metric(
        "slo.burn_rate",
        "{times}",
        "How many times as fast as allowed it goes.",
        ("slo", "window"),
        _burn_rates,
    ),
    Metric(
        "slo.state",
        "{objective}",
        "1 for the state that the budget is in.",
        ("slo", "state"),
        _budget_states,
        is_state=True,
    ),
)
