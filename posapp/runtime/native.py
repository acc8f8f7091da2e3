"""Threads, queues and locks of the operating system, also where gevent has replaced them.

A native thread blocks alone: under `gevent.monkey.patch_all()` a `threading.Thread` is a greenlet,
and one blocking call would stop every request of the process.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any


def unpatched(module: str, name: str) -> Any:
    """Returns `module.name` as it was before gevent patched it."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None:
        return monkey.get_original(module, name)
    return getattr(importlib.import_module(module), name)


def start_native_thread(target: Callable[[], None]) -> None:
    """Runs `target` on a new native thread, which does not keep the process alive."""
    unpatched("_thread", "start_new_thread")(target, ())
