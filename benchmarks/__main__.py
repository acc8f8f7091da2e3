"""Runs the benchmarks and prints their tables.

python -m benchmarks            all of them
python -m benchmarks health     one, or several
"""

from __future__ import annotations

import importlib
import sys

from benchmarks.measure import Missing

NAMES = ("imports", "health", "menu", "orders", "logs", "backup")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"benchmarks: no {', '.join(unknown)}; there are: {', '.join(NAMES)}")
        return 2
    for name in names or NAMES:
        try:
            importlib.import_module(f"benchmarks.{name}").main()
        except Missing as error:
            print(f"{name}: not measured: {error}")
    return 0


sys.exit(main(sys.argv[1:]))
