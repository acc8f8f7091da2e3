"""The command `healthkit`, and what a command beside it can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthkit.cli._output import HandledErrors, discard_unwritten, end_with, format_table

if TYPE_CHECKING:
    from healthkit.cli._main import main

__all__ = ["HandledErrors", "discard_unwritten", "end_with", "format_table", "main"]


def __getattr__(name: str) -> Any:
    """Loads the command when it is run: a host's own command needs the rest alone."""
    if name != "main":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from healthkit.cli._main import main

    globals()["main"] = main
    return main
