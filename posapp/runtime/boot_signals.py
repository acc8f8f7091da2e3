"""A worker that is told to end while it boots does end.

A forked process keeps its parent's signal handlers until it has its own. gunicorn's master only
notes a signal for its own loop, which a worker does not have: a SIGTERM in the first moments of a
worker would be lost, and the server would end by SIGKILL after its whole grace.
"""

from __future__ import annotations

import os
import signal
from functools import cache

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})


@cache
def end_while_booting() -> None:
    """Has each process that this one forks from now on begin without its signal handlers.

    The signals wait while the fork is under way, so that none falls between.
    """
    os.register_at_fork(
        before=_hold, after_in_parent=_release, after_in_child=_release_without_handlers
    )


def _hold() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def _release_without_handlers() -> None:
    for number in _ENDING:
        signal.signal(number, signal.SIG_DFL)
    _release()
