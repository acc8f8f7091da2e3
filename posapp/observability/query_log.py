"""SQL in the log: each statement at DEBUG, slow ones at WARN, with their plan when asked for."""

from __future__ import annotations

import time
from typing import Any

from loguru import logger
from sqlalchemy import Engine, event

from healthkit.masking import mask_value, secret_name
from posapp.observability import logs

_STARTED = "posapp.started"
_EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


def install(engine: Engine, slow_after: float, explain: bool) -> None:
    """Watches the statements of an engine. `slow_after` is in seconds; with `explain`, a slow one
    is logged with the plan that the server would take now, asked for on the same connection."""

    @event.listens_for(engine, "before_cursor_execute")
    def begins(
        connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        connection.info[_STARTED] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def ends(
        connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        took = time.perf_counter() - connection.info.get(_STARTED, time.perf_counter())
        slow = took >= slow_after
        if not slow and not logs.debugging():
            return
        fields = {
            "sql": " ".join(statement.split()),
            "parameters": mask_parameters(parameters),
            "duration_ms": round(took * 1000, 1),
            "rows": cursor.rowcount,
        }
        if slow and explain and not many:
            fields["plan"] = _plan(cursor, statement, parameters)
        bound = logger.bind(**fields)
        if slow:
            bound.warning("Slow database query")
        else:
            bound.debug("Database query")


def mask_parameters(parameters: Any) -> Any:
    """Parameters as they may be shown: what goes under a secret's name, and long texts, are not."""
    if isinstance(parameters, dict):
        return {
            name: "***MASKED***" if secret_name(name) else _short(mask_value(value))
            for name, value in parameters.items()
        }
    if isinstance(parameters, list | tuple):
        return [mask_parameters(one) for one in parameters[:20]]
    return _short(mask_value(parameters))


def _short(value: Any) -> Any:
    return f"{value[:200]}…" if isinstance(value, str) and len(value) > 200 else value


def _plan(cursor: Any, statement: str, parameters: Any) -> list[str] | str:
    """EXPLAIN without running it again, on a cursor of its own in the same transaction."""
    if not statement.lstrip().upper().startswith(_EXPLAINED):
        return "none"
    try:
        with cursor.connection.cursor() as own:
            own.execute("SAVEPOINT posapp_explain")
            try:
                # The first of several in one message: the others would be carried out.
                own.execute(f"EXPLAIN {statement.partition(';')[0]}", parameters)
                return [row[0] for row in own.fetchall()]
            finally:
                own.execute("ROLLBACK TO SAVEPOINT posapp_explain")
    except Exception as error:  # noqa: BLE001  a plan is a help, its request goes on without
        return f"not to be had: {type(error).__name__}"
