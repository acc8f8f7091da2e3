"""The doctor's checks of Uptime Kuma: that it is there, and that it is as declared."""

from __future__ import annotations

from collections.abc import Mapping

from healthkit import Check, CheckContext, Outcome
from healthkit_http import Http
from posapp.operations.kuma.comparing import compare
from posapp.operations.kuma.declared import MONITORS, KumaError, load
from posapp.settings import Settings

SHOWN = 3
"""Differences that are named; `posapp kuma plan` names them all."""


class KumaPage(Http):
    """Uptime Kuma is there."""


class KumaPlan(Check):
    """`posapp kuma plan` would be empty; `environ` has the push addresses that are in use."""

    settings: Settings
    environ: Mapping[str, str]

    def run(self, context: CheckContext) -> Outcome:
        try:
            found = compare(self.settings, load(MONITORS, self.environ))
        except KumaError as error:
            return Outcome.unhealthy("; ".join(str(error).splitlines()))
        unknown = [n for n, value in found.addresses.items() if self.environ.get(n) != value]
        return evaluate_differences(
            [*found.lines(), *(f"{name} is another address" for name in unknown)]
        )


def evaluate_differences(lines: list[str]) -> Outcome:
    """A fault that names the first few of what differs."""
    if not lines:
        return Outcome.healthy()
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return Outcome.degraded(f"not as deploy/kuma says: {'; '.join(lines[:SHOWN])}{more}")
