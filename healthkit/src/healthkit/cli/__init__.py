"""The command `healthkit`."""

from healthkit.cli.main import main

__all__ = ["main"]
