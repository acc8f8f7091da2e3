"""Health checks answered from memory, and alerts that people can trust."""

from healthkit.check import Check, CheckContext
from healthkit.hookspecs import hookimpl
from healthkit.model import (
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

__all__ = [
    "Check",
    "CheckContext",
    "CheckInfo",
    "Event",
    "EventKind",
    "Outcome",
    "Report",
    "Result",
    "Role",
    "Severity",
    "Status",
    "hookimpl",
]
