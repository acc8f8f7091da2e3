"""Makes a check of a function: `@health.check("queue", every="10s")`."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable
from typing import Any

from healthkit._check import CheckContext
from healthkit._model.checks import Outcome


class FunctionCheck:
    """Runs a function, plain or async, with the CheckContext where it takes one.

    True and None are healthy, False is unhealthy; a text is the message of a healthy one, a number
    its detail `value`; an Outcome stands as it is. What it raises is unhealthy, with its cause.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._takes_context = _takes_context(function)

    def run(self, context: CheckContext) -> Any:
        answer = self._function(context) if self._takes_context else self._function()
        if inspect.isawaitable(answer):
            answer = asyncio.run(_within(answer, context.timeout))
        return interpret(answer)


def interpret(answer: Any) -> Any:
    """Returns the outcome that a function's answer stands for; what stands for none, as it is."""
    if answer is None or answer is True:
        return Outcome.healthy()
    if answer is False:
        return Outcome.unhealthy("the check returned False")
    if type(answer) is str:
        return Outcome.healthy(answer)
    if type(answer) in (int, float):
        if type(answer) is int or math.isfinite(answer):  # which raises for what no float holds
            return Outcome.healthy(value=answer)
        return Outcome.unhealthy(f"the check returned {answer}")
    return answer


def _takes_context(function: Callable[..., Any]) -> bool:
    """Whether it has to be called with one argument. Raises TypeError where it needs more."""
    needed = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) > 1:
        raise TypeError(f"a check takes a CheckContext or nothing; this one takes {len(needed)}")
    return bool(needed)


async def _within(answer: Any, seconds: float) -> Any:
    """Waits on the check's own thread, and ends what overruns."""
    return await asyncio.wait_for(answer, seconds)
