"""Errors of commands, in words for whoever typed them."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot do what it was asked. The message says in one line (or a few) what is wrong
    and how to fix it; the command prints it without a traceback and exits with `exit_code`."""

    exit_code = 2

    def lines(self) -> list[str]:
        """The message, a line each."""
        return str(self).splitlines()
