"""A plugin for watchers under test: a check that reads a file, and ways to die at a given step.

`DIE_AT` names the step at which the process kills itself, `FREEZE_AT` the one at which it stops
itself, each once: the file `DIED` is made first, and where it is nothing happens.
"""

import os
import signal
from pathlib import Path

from sqlalchemy import Engine, event

from healthkit import Check, Outcome, hookimpl

_STEPS = {
    "the transition is being committed": ("INSERT INTO healthkit_events", ""),
    "the claim is being committed": ("UPDATE healthkit_deliveries SET state=", "batch="),
    "the result is being committed": ("UPDATE healthkit_deliveries SET state=", "'sent'"),
}
_reached = False


class FromFile(Check):
    """`healthy`, or a status and a message."""

    file: Path

    def run(self, context):
        status, _, message = self.file.read_text().partition(" ")
        return getattr(Outcome, status)(message or None)

    def target(self):
        return "https://your-domain.com/health"


@hookimpl
def healthkit_check_types():
    return {"from-file": FromFile}


@hookimpl
def healthkit_event(event):
    _step("the transition is committed")


@hookimpl
def healthkit_message(event, language):
    _step("the claim is committed")


@event.listens_for(Engine, "before_cursor_execute")
def executing(connection, cursor, statement, parameters, context, many):
    global _reached
    step = os.environ.get("DIE_AT") or os.environ.get("FREEZE_AT") or ""
    words, value = _STEPS.get(step, ("nothing", ""))
    _reached = _reached or (statement.startswith(words) and value in f"{statement}{parameters}")


@event.listens_for(Engine, "commit")
def committing(connection):
    if _reached:
        _step(os.environ.get("DIE_AT") or os.environ["FREEZE_AT"])


def _step(name):
    for variable, number in (("DIE_AT", signal.SIGKILL), ("FREEZE_AT", signal.SIGSTOP)):
        if os.environ.get(variable) == name:
            died = Path(os.environ["DIED"])
            if not died.exists():
                died.touch()
                os.kill(os.getpid(), number)
