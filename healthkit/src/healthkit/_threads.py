"""Provides threads and queues of the operating system, also where gevent has replaced them.

Under `gevent.monkey.patch_all()` a `threading.Thread` is a greenlet: one blocking call in C (a
database driver waiting for a server that hangs) then stops every request of the process. A thread
from here always blocks alone.
"""

from __future__ import annotations

import importlib
import os
import sys
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def unpatched(module: str, name: str) -> Any:
    """Returns `module.name` as it was before gevent patched it. Raises RuntimeError under eventlet,
    whose locks cannot be shared with a native thread: the process would freeze, some day."""
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.is_monkey_patched("thread"):
        raise RuntimeError(
            "eventlet has patched this process, and healthkit's threads cannot run beside it:"
            " serve with gevent or threads (gunicorn -k gevent, -k gthread)"
        )
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None:
        return monkey.get_original(module, name)
    return getattr(importlib.import_module(module), name)


def start_native_thread(target: Callable[[], None]) -> None:
    """Runs `target` on a new native thread, which does not keep the process alive.

    Raises RuntimeError when the system has no thread left to give.
    """
    try:
        unpatched("_thread", "start_new_thread")(_run, (target,))
    except OSError as error:
        raise RuntimeError("no thread could be started") from error


def call_after_fork(method: Callable[[], None]) -> None:
    """Has a bound method called in the child of each fork, for as long as its object lives."""
    bound = weakref.WeakMethod(method)
    os.register_at_fork(after_in_child=lambda: (alive := bound()) and alive())


class TimeLimiter:
    """Runs calls on threads of their own, each within a limit. One that overruns goes on by itself;
    while `most` of those hang no further call is started."""

    def __init__(self, most: int = 3) -> None:
        self.hanging = 0
        self._most = most
        self._lock = unpatched("_thread", "allocate_lock")()

    def call(self, function: Callable[[], Result], seconds: float) -> Result:
        """Returns or raises what the function does. Raises TimeoutError after `seconds`."""
        if self.hanging >= self._most:
            raise TimeoutError(f"{self.hanging} that overran still hang")
        answers: Any = unpatched("queue", "SimpleQueue")()
        start_native_thread(lambda: answers.put(_outcome(function)))
        try:
            ended, value = answers.get(timeout=seconds)
        except unpatched("queue", "Empty"):
            self._abandon(answers)
            raise TimeoutError(f"no answer within {seconds:g}s") from None
        if not ended:
            raise value
        result: Result = value
        return result

    def _abandon(self, answers: Any) -> None:
        with self._lock:
            self.hanging += 1
        start_native_thread(lambda: self._await(answers))

    def _await(self, answers: Any) -> None:
        answers.get()
        with self._lock:
            self.hanging -= 1


def _outcome(function: Callable[[], Result]) -> tuple[bool, Any]:
    try:
        return True, function()
    except BaseException as error:  # noqa: BLE001  handed to whoever waits
        return False, error


def _run(target: Callable[[], None]) -> None:
    try:
        target()
    finally:
        _destroy_hub()


def _destroy_hub() -> None:
    """A native thread that used a patched socket owns a gevent hub, whose loop holds file
    descriptors; they go with the thread."""
    hub_module = sys.modules.get("gevent.hub")
    if hub_module is None:
        return
    hub = hub_module._get_hub()  # no public way to ask without making one
    if hub is not None:
        hub.destroy(destroy_loop=True)
