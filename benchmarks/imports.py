"""The cost of importing healthkit, beside pydantic on which it stands.

CPU time of new processes, the two of a pair in turn, the median of each: what else runs on the
machine then falls on both.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median

ROUNDS = 15
PAIRS = (
    ("import healthkit", "import pydantic"),
    ("from healthkit import Check", "from pydantic import BaseModel"),
    ("from healthkit import Health, Settings", "from pydantic import BaseModel"),
)


def cost(statement: str) -> float:
    """CPU time of one import in a process of its own, in seconds."""
    code = f"import time; t = time.process_time(); {statement}; print(time.process_time() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    print("\nImports (CPU time of a new process)\n")
    print(f"| {'statement':38} | {'ms':>6} | {'beside':30} | {'ms':>6} | ratio |")
    print(f"| {'-' * 38} | {'-' * 5}: | {'-' * 30} | {'-' * 5}: | ----: |")
    for ours, theirs in PAIRS:
        rounds = [(cost(ours), cost(theirs)) for _ in range(ROUNDS)]
        mine, base = (median(one) for one in zip(*rounds, strict=True))
        print(
            f"| {ours:38} | {mine * 1000:6.1f} | {theirs:30} | {base * 1000:6.1f} "
            f"| {mine / base:5.2f} |"
        )
