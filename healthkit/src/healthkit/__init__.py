"""Health checks served from memory, and alerts that people can trust.

The names below are loaded when they are first used, as pydantic does it: a plugin that needs
`Check` loads no configuration, and no name loads SQLAlchemy, Jinja2, requests or Apprise.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from healthkit._check import Check, CheckContext
    from healthkit._clock import SYSTEM_CLOCK, Clock, SystemClock
    from healthkit._config.alert_tables import (
        AlertSettings,
        ChannelSettings,
        LinkSettings,
        MaintenanceSettings,
        MessageSettings,
        MessageTemplate,
        RouteSettings,
    )
    from healthkit._config.checks import configure_check
    from healthkit._config.service_tables import (
        GroupSettings,
        ServiceSettings,
        SloSettings,
        StatusSettings,
        StoreSettings,
        WatchSettings,
    )
    from healthkit._config.settings import ConfiguredCheck, Settings
    from healthkit._health import Health
    from healthkit._hookspecs import hookimpl
    from healthkit._model.alerts import Event, EventKind, LinkAct
    from healthkit._model.checks import CheckInfo, Outcome, Report, Result, Role, Severity, Status
    from healthkit._reading import load_settings
    from healthkit._rendering import RenderedResponse, health_body
    from healthkit.errors import ConfigError, HealthkitError, StoreError

__all__ = [
    "SYSTEM_CLOCK",
    "AlertSettings",
    "ChannelSettings",
    "Check",
    "CheckContext",
    "CheckInfo",
    "Clock",
    "ConfigError",
    "ConfiguredCheck",
    "Event",
    "EventKind",
    "GroupSettings",
    "Health",
    "HealthkitError",
    "LinkAct",
    "LinkSettings",
    "MaintenanceSettings",
    "MessageSettings",
    "MessageTemplate",
    "Outcome",
    "RenderedResponse",
    "Report",
    "Result",
    "Role",
    "RouteSettings",
    "ServiceSettings",
    "Settings",
    "Severity",
    "SloSettings",
    "Status",
    "StatusSettings",
    "StoreError",
    "StoreSettings",
    "SystemClock",
    "WatchSettings",
    "configure_check",
    "health_body",
    "hookimpl",
    "load_settings",
]

_MODULES = {
    "healthkit._check": (
        "Check",
        "CheckContext",
    ),
    "healthkit._clock": (
        "Clock",
        "SYSTEM_CLOCK",
        "SystemClock",
    ),
    "healthkit._config.alert_tables": (
        "AlertSettings",
        "ChannelSettings",
        "LinkSettings",
        "MaintenanceSettings",
        "MessageSettings",
        "MessageTemplate",
        "RouteSettings",
    ),
    "healthkit._config.checks": ("configure_check",),
    "healthkit._config.service_tables": (
        "GroupSettings",
        "ServiceSettings",
        "SloSettings",
        "StatusSettings",
        "StoreSettings",
        "WatchSettings",
    ),
    "healthkit._config.settings": (
        "ConfiguredCheck",
        "Settings",
    ),
    "healthkit._health": ("Health",),
    "healthkit._reading": ("load_settings",),
    "healthkit._hookspecs": ("hookimpl",),
    "healthkit._model.alerts": (
        "Event",
        "EventKind",
        "LinkAct",
    ),
    "healthkit._model.checks": (
        "CheckInfo",
        "Outcome",
        "Report",
        "Result",
        "Role",
        "Severity",
        "Status",
    ),
    "healthkit._rendering": (
        "RenderedResponse",
        "health_body",
    ),
    "healthkit.errors": (
        "ConfigError",
        "HealthkitError",
        "StoreError",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
