"""deploy/gunicorn.conf.py with a watchdog on each worker's loop: what keeps the loop from other
requests is written to the file that LOOP_BLOCKS names.

Counted from one switch of greenlets to the next: 100 ms of computing by the loop's own thread, or
500 ms in which it neither computed nor was ready to (a call that blocks). Time for which the kernel
let it wait for a processor is nobody's fault, and a wait for the interpreter's lock may be the
same: its holder is waiting for a processor.
"""

import os
import runpy
import time
import traceback
from pathlib import Path

globals().update(runpy.run_path(str(Path(__file__).parents[2] / "deploy" / "gunicorn.conf.py")))
COMPUTING, BLOCKED = 0.1, 0.5
_started = globals()["post_worker_init"]


def _clocks():
    """Seconds: of the world, computing, and ready to compute; see schedstat in proc(5)."""
    computing, ready, _ = Path("/proc/thread-self/schedstat").read_text().split()
    return time.perf_counter(), int(computing) / 1e9, int(ready) / 1e9


def post_worker_init(worker):
    _started(worker)
    import greenlet
    from gevent import get_hub

    hub, log = get_hub(), Path(os.environ["LOOP_BLOCKS"])
    since = [_clocks()]

    def switched(event, switch):
        if event not in ("switch", "throw"):
            return
        origin, _ = switch
        before, since[0] = since[0], _clocks()
        took, computed, ready = (b - a for a, b in zip(before, since[0], strict=True))
        blocked = took - computed - ready
        if origin is not hub and (computed > COMPUTING or blocked > BLOCKED):
            stack = "".join(traceback.format_stack(origin.gr_frame)[-12:])
            with log.open("a") as file:
                file.write(f"{computed:.3f} s computed, {blocked:.3f} s blocked until\n{stack}\n")

    greenlet.settrace(switched)
    log.touch()
