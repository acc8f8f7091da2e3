"""Takes in the checks that plugins offer without configuration. A plugin may offer anything: what
is no check is told by a check of its own, and harms no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from healthkit import _outcomes
from healthkit._check import Check, CheckContext
from healthkit._config.checks import configure_check
from healthkit._config.references import find_cycle
from healthkit._config.service_tables import CheckSettings
from healthkit._config.settings import ConfiguredCheck
from healthkit._model.checks import CheckInfo, Outcome, Role
from healthkit._plugins import PluginManager

_MOST = 1000
"""Checks that one plugin may offer."""


class BrokenPlugin(Check):
    """Stands in the report for the checks that a plugin failed to offer."""

    reason: str

    def run(self, context: CheckContext) -> Outcome:
        return Outcome.unhealthy(self.reason)


def offered_checks(
    plugins: PluginManager, configured: Mapping[str, ConfiguredCheck]
) -> list[ConfiguredCheck]:
    """Returns the checks of all plugins but those that `configured` has by the same name, and one
    that is unhealthy for each plugin whose offer is not made of checks."""
    found: dict[str, ConfiguredCheck] = {}
    mistakes: dict[str, list[str]] = {}
    for plugin, offer in plugins.call_each("healthkit_checks"):
        for check in _read(offer, mistakes.setdefault(plugin, [])):
            if check.info.name not in configured:
                found.setdefault(check.info.name, check)
    for plugin, error in plugins.failures_of("healthkit_checks").items():
        mistakes.setdefault(plugin, []).append(error)
    checks = _linked(found, configured)
    return [*checks, *(_stand_in(plugin, found) for plugin, found in mistakes.items() if found)]


def _read(offer: Any, mistakes: list[str]) -> Iterable[ConfiguredCheck]:
    """Yields the checks of one offer, and adds what is none to `mistakes`."""
    try:
        items = list(islice(offer, _MOST))
    except BaseException as error:  # noqa: BLE001  a plugin may return anything
        mistakes.append(_outcomes.of_exception(error).message or "")
        return
    for item in items:
        try:
            info, check = item
            yield _validated(info, check)
        except BaseException as error:  # noqa: BLE001
            mistakes.append(_outcomes.of_exception(error).message or "")


def _validated(info: Any, check: Any) -> ConfiguredCheck:
    """Returns a check with its settings validated like those of the file. Raises ConfigError with
    every mistake, and whatever a plugin's objects raise."""
    if type(info) is not CheckInfo:
        raise TypeError("a check is offered as (CheckInfo, Check)")
    own = {key: getattr(info, key) for key in CheckSettings.model_fields if hasattr(info, key)}
    own["label"] = _outcomes.line(info.label) or None
    made = configure_check(info.name, check, **own)
    given = replace(made.info, target=_outcomes.line(info.target) or made.info.target)
    return made.model_copy(update={"info": given, "type": "plugin"})


def _linked(
    found: Mapping[str, ConfiguredCheck], configured: Mapping[str, ConfiguredCheck]
) -> list[ConfiguredCheck]:
    """Returns the found checks without dependencies that do not exist or go round in a cycle."""
    known = {**found, **configured}
    edges = {
        name: tuple(other for other in check.info.depends_on if other in known)
        for name, check in known.items()
    }
    while cycle := find_cycle(edges):
        ours = [name for name in cycle if name in found]
        if not ours:
            break  # the file's own, which is refused
        edges[ours[0]] = ()
    return [
        check.model_copy(update={"info": replace(check.info, depends_on=edges[name])})
        for name, check in found.items()
    ]


def _stand_in(plugin: str, mistakes: list[str]) -> ConfiguredCheck:
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", f"plugin-{plugin}")[:64]
    reason = _outcomes.line(f"healthkit_checks: {'; '.join(mistakes)}") or ""
    return configure_check(name, BrokenPlugin(reason=reason), role=Role.ADVISORY)
