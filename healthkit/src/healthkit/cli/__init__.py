"""The command `healthkit`, and what a command beside it can use."""

from healthkit.cli._main import main
from healthkit.cli._options import HandledErrors, format_table

__all__ = ["HandledErrors", "format_table", "main"]
