"""Runs the benchmarks and prints their tables.

python -m benchmarks            all of them
python -m benchmarks health     one, or several
python -m benchmarks soak --minutes 30
                                five minutes or as many as are asked for; not among all of them
python -m benchmarks backup 1000
                                of so many megabytes, else 300; a gigabyte takes ten minutes
python -m benchmarks alerts     a watcher of a thousand checks over an hour; not among all of them
python -m benchmarks status 1000000
                                the status page on a store of so many results, else ten million; not
                                among all of them: it writes them first
"""

from __future__ import annotations

import importlib
import runpy
import sys

from benchmarks.measure import ROOT, Missing

NAMES = (*("imports", "health", "mounts", "checks", "menu", "orders", "logs", "backup", "screens"),)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["soak"]:
        return int(importlib.import_module("benchmarks.soak").main(arguments[1:]))
    if arguments[:1] == ["backup"] and arguments[1:2] and arguments[1].isdigit():
        importlib.import_module("benchmarks.backup").main(arguments[1:2])
        return 0
    if arguments[:1] in (["status"], ["alerts"]):  # healthkit's own: of what is private to it
        own = runpy.run_path(str(ROOT / f"healthkit/benchmarks/{arguments[0]}.py"))
        return int(own["main"](arguments[1:]))
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        there = ", ".join((*NAMES, "alerts", "soak", "status"))
        print(f"benchmarks: no {', '.join(unknown)}; there are: {there}")
        return 2
    for name in arguments or NAMES:
        try:
            importlib.import_module(f"benchmarks.{name}").main()
        except Missing as error:
            print(f"{name}: not measured: {error}")
    return 0


sys.exit(main(sys.argv[1:]))
