"""States and events as text, for the store. What a later version adds is left out by an older."""

from __future__ import annotations

from dataclasses import replace

from pydantic import TypeAdapter

from healthkit._alerts.policy import State
from healthkit._model.checks import Event, Outcome, Severity

_STATE = TypeAdapter(State)
_EVENT = TypeAdapter(Event)
RANKS = {severity: rank for rank, severity in enumerate(Severity)}
"""0 for critical, and so on."""


def dump_state(state: State) -> str:
    return _STATE.dump_json(state).decode()


def load_state(text: str) -> State:
    return _STATE.validate_json(text)


def dump_event(event: Event) -> str:
    """Details that JSON lacks become text; those that cannot even be that are left out: they are a
    plugin's, and no alert is lost to them."""
    try:
        return _EVENT.dump_json(event, fallback=str, warnings=False).decode()
    except Exception:  # noqa: BLE001  a plugin's objects may raise anything
        bare = Outcome(event.outcome.status, event.outcome.message)
        return _EVENT.dump_json(replace(event, outcome=bare), warnings=False).decode()


def load_event(text: str) -> Event:
    return _EVENT.validate_json(text)
