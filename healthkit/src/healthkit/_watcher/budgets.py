"""Has each objective watched like a check: its alerts, incidents and silences are those of any."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from healthkit._check import Check, CheckContext
from healthkit._config.checks import configure_check
from healthkit._config.objectives import PREFIX, objectives_of
from healthkit._config.settings import Settings
from healthkit._model import budget_words
from healthkit._model.budget_rules import budget
from healthkit._model.budgets import Budget, BudgetState, Measurement, Objective, dump_budget
from healthkit._model.checks import Outcome, Role

EVERY = timedelta(seconds=60)
"""Between two looks at a budget."""

Measure = Callable[[Objective, datetime], Measurement]


class BudgetCheck(Check):
    """Is unhealthy while a budget burns fast, and degraded when it does not last, is gone, or is
    not measured."""

    objective: Objective
    measure: Measure

    def run(self, context: CheckContext) -> Outcome:
        found = budget(self.objective, self.measure(self.objective, context.now))
        return evaluate_budget(found)


def evaluate_budget(found: Budget) -> Outcome:
    """Returns the outcome of a budget; its details have what a message needs to say it."""
    said = " ".join(budget_words.sentences(found, "en"))
    if found.absent:
        said += f" Silent: {', '.join(found.absent)}"
    details = {"budget": dump_budget(found)}
    if found.state is BudgetState.BURNING_FAST:
        return Outcome.unhealthy(said, **details)
    if found.state in (BudgetState.OK, BudgetState.NOT_ENOUGH_DATA):
        return Outcome.healthy(said, **details)
    return Outcome.degraded(said, **details)


def with_budget_checks(settings: Settings, measure: Measure) -> Settings:
    """Returns the settings as a watcher runs them: a check more for each objective."""
    checks = [
        configure_check(
            f"{PREFIX}{name}",
            BudgetCheck(objective=objective, measure=measure),
            label=objective.label,
            interval=EVERY,
            timeout="10s",
            fail_after=2,
            recover_after=2,
            role=Role.ADVISORY,
            severity=settings.slo[name].severity,
            tags=settings.slo[name].tags,
            runbook=settings.slo[name].runbook,
            public=False,
        )
        for name, objective in objectives_of(settings).items()
    ]
    return settings.model_copy(update={"checks": (*settings.checks, *checks)})
