"""Threads, queues and locks of the operating system, also where gevent has replaced them, and
long computations beside gevent's loop.

A native thread blocks alone: under `gevent.monkey.patch_all()` a `threading.Thread` is a greenlet,
and one blocking call would stop every request of the process.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

Result = TypeVar("Result")


def unpatched(module: str, name: str) -> Any:
    """Returns `module.name` as it was before gevent patched it."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None:
        return monkey.get_original(module, name)
    return getattr(importlib.import_module(module), name)


def compute(function: Callable[..., Result], *arguments: Any) -> Result:
    """Returns what `function` returns, or raises what it raises. Under gevent it runs on a native
    thread, of which there are as many as processors, and other requests go on meanwhile."""
    pool = _threads()
    if pool is None:
        return function(*arguments)
    outcome: list[Result] = []

    def attempt() -> Exception | None:
        """gevent would print what is raised, past the log and its masking."""
        try:
            outcome.append(function(*arguments))
        except Exception as error:  # noqa: BLE001  it is raised below
            return error
        return None

    if (error := pool.apply(attempt)) is not None:
        raise error
    return outcome[0]


@cache
def _threads() -> Any:
    """gevent's threads for this process, made after its fork; None where nothing is patched."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return None
    from gevent.threadpool import ThreadPool

    return ThreadPool(os.cpu_count() or 1)


def start_native_thread(target: Callable[[], None]) -> None:
    """Runs `target` on a new native thread, which does not keep the process alive."""
    unpatched("_thread", "start_new_thread")(target, ())
