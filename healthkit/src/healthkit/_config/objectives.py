"""Service level objectives: what is wrong with `[slo.NAME]`, and what the rules need of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from healthkit._model.budget_rules import silent_after
from healthkit._model.budgets import Objective
from healthkit.errors import ConfigProblem

if TYPE_CHECKING:
    from healthkit._config.settings import ConfiguredCheck, Settings

PREFIX = "slo-"
"""Before an objective's name, in the name of its alerts: for silences, incidents and the store."""
_LONGEST = 64 - len(PREFIX)


def alert_names(settings: Settings) -> list[str]:
    """Returns the names by which the alerts of objectives go, beside those of checks."""
    return [f"{PREFIX}{name}" for name in settings.slo]


def counting(checks: Iterable[ConfiguredCheck]) -> frozenset[str]:
    """Returns the names of the checks that count events."""
    return frozenset(c.info.name for c in checks if getattr(c.check, "counts_events", False))


def objective_problems(
    promised: Mapping[str, Iterable[str]], checks: Iterable[ConfiguredCheck]
) -> list[ConfigProblem]:
    """Returns the mistakes in objectives, by name with the checks of each, beside unknown checks:
    names that are taken or too long, and checks of two kinds together."""
    known = {check.info.name: check for check in checks}
    events = counting(known.values())
    problems = []
    for name, of in promised.items():
        key = f"slo.{name}"
        if f"{PREFIX}{name}" in known:
            taken = f"a check has the name of its alerts, {PREFIX}{name}; choose another"
            problems.append(ConfigProblem(key, taken))
        if len(name) > _LONGEST:
            problems.append(ConfigProblem(key, f"a name has {_LONGEST} characters at most"))
        counted = {one in events for one in of if one in known}
        if len(counted) > 1:
            those = ", ".join(sorted(one for one in of if one in events))
            both = f"{those} counts events and the others do not; make two of it"
            problems.append(ConfigProblem(f"{key}.checks", both))
    return problems


def objectives_of(settings: Settings) -> dict[str, Objective]:
    """Returns the objectives by name."""
    infos = {check.info.name: check.info for check in settings.checks}
    events = counting(settings.checks)
    return {
        name: Objective(
            name=name,
            label=one.label or name.replace("-", " ").replace("_", " ").title(),
            checks={
                check: silent_after(infos[check].interval, infos[check].timeout)
                for check in dict.fromkeys(one.checks)
            },
            target=Fraction(str(one.target)) / 100,
            window=one.window,
            zone=settings.service.zone,
            least=one.least_failures,
            events=any(check in events for check in one.checks),
        )
        for name, one in settings.slo.items()
    }
