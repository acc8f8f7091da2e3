"""Health checks answered from memory, and alerts that people can trust."""

from healthkit._check import Check, CheckContext
from healthkit._config.settings import Settings
from healthkit._health import Health
from healthkit._hookspecs import hookimpl
from healthkit._model.checks import (
    CheckInfo,
    Event,
    EventKind,
    Outcome,
    Report,
    Result,
    Role,
    Severity,
    Status,
)
from healthkit.errors import ConfigError, HealthkitError, StoreError

__all__ = [
    "Check",
    "CheckContext",
    "CheckInfo",
    "ConfigError",
    "Event",
    "EventKind",
    "Health",
    "HealthkitError",
    "Outcome",
    "Report",
    "Result",
    "Role",
    "Settings",
    "Severity",
    "Status",
    "StoreError",
    "hookimpl",
]
