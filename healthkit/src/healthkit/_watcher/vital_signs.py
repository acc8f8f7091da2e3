"""Whether people can be told of a fault right now: pure functions.

The heartbeat to the outside and the check `alerting` say what they find.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from healthkit._config.alert_tables import ChannelSettings
from healthkit._config.settings import Settings
from healthkit._model.checks import CheckInfo

STUCK_AFTER = 15.0
"""Seconds without a turn of the watcher's loop: three of the longest wait of a statement."""
_MISSED = 3
_LEAST = 15.0
"""Seconds that results may be away in any case: a machine may be busy."""


def longest_silence(checks: Iterable[CheckInfo]) -> float | None:
    """Returns for how many seconds no check at all may report; None where there is none."""
    gaps = [(check.interval + check.timeout).total_seconds() for check in checks]
    return max(_LEAST, _MISSED * min(gaps)) if gaps else None


def find_faults(
    settings: Settings, failing: Mapping[str, str], couriers: Mapping[str, str]
) -> tuple[str, ...]:
    """Returns why people cannot be told of something.

    `failing` are the channels whose circuit breaker is open, `couriers` those whose courier cannot
    work, each with the error.
    """
    troubles = [f"the courier of channel {name} fails: {why}" for name, why in couriers.items()]
    broken = {**failing, **couriers}
    severities = {check.info.severity for check in settings.checks if not check.silent}
    for severity, route in settings.routes.items():
        ways = [name for name in route.channels if settings.channels[name].enabled]
        errors = [_blocked(name, settings.channels, broken) for name in ways]
        if severity in severities and errors and all(errors):
            what = f"no channel of [routes.{severity}] works"
            troubles.append(f"{what}: {'; '.join(dict.fromkeys(filter(None, errors)))}")
    return tuple(troubles)


def _blocked(
    name: str | None, channels: Mapping[str, ChannelSettings], broken: Mapping[str, str]
) -> str | None:
    """Returns why neither a channel nor any of its fallbacks works, or None where one does."""
    errors = []
    while name is not None:
        if channels[name].enabled:
            if name not in broken:
                return None
            errors.append(f"{name}: {broken[name]}")
        name = channels[name].fallback
    return "; ".join(errors)
