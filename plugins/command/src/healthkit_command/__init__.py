"""The check type `command`: any program that keeps to Nagios' contract (exit code, first line,
performance data), as the monitoring-plugins and a thousand others do."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.fields import Size
from healthkit_command.output import evaluate
from healthkit_command.process import run_process

PATH = ":".join(
    [
        *("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"),
        *("/usr/lib/nagios/plugins", "/usr/lib64/nagios/plugins"),
    ]
)
"""Where programs are looked for, and what they find as `PATH`: never that of whoever starts us."""
_SHARE = 0.9
"""Of the check's timeout, after which the program is killed: there is time left to say so."""


def _words(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError('no shell is started; write it as words: ["check_load", "-w", "5"]')
    return value


def _startable(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words[0]:
        raise ValueError("the program is an empty text")
    if "/" in words[0] and not words[0].startswith("/"):
        raise ValueError(f"{words[0]!r} must be a whole path, or a name to be found in {PATH}")
    if any("\0" in word for word in words):
        raise ValueError("a word cannot have a NUL character")
    return words


def _environment(values: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
    for name, value in values.items():
        if not name or "=" in name or "\0" in name:
            raise ValueError(f"{name!r} is no name of a variable")
        if "\0" in value.get_secret_value():
            raise ValueError(f"the value of {name!r} cannot have a NUL character")
    return values


class Command(Check):
    """Runs a program without a shell, in a process group of its own that is killed when nine tenths
    of the check's timeout are over.

    0 is healthy, 1 degraded, 2 unhealthy; 3, any other code and a signal are unhealthy, and say so.
    `max_output` in bytes is kept of what it writes; the rest is read and dropped.
    """

    command: Annotated[
        tuple[str, ...],
        BeforeValidator(_words),
        Field(min_length=1, max_length=200),
        AfterValidator(_startable),
    ]
    """The program and its arguments, each a text of its own; no shell reads them."""
    env: Annotated[Mapping[str, SecretStr], AfterValidator(_environment)] = {}
    """Variables of its environment, beside `PATH` and `LANG`."""
    max_output: Annotated[Size, Field(ge=1, le=1_000_000)] = 64_000
    """How much of its output is kept."""

    def run(self, context: CheckContext) -> Outcome:
        program = shutil.which(self.command[0], path=PATH)
        if program is None:
            return Outcome.unhealthy(f"{self.command[0]}: not found, or not executable")
        environ = {"PATH": PATH, "LANG": "C.UTF-8"}
        environ |= {name: value.get_secret_value() for name, value in self.env.items()}
        seconds = context.timeout * _SHARE
        try:
            ended = run_process(program, self.command, environ, seconds, self.max_output)
        except OSError as error:
            return Outcome.unhealthy(f"{self.command[0]}: cannot be run: {error.strerror}")
        return evaluate(ended)

    def target(self) -> str:
        return self.command[0]


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"command": Command}
