"""The check types `memory` and `load`: what is left of a machine, or of the container around us."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import psutil
from pydantic import Field, model_validator

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.fields import Percent, format_size
from healthkit_memory.cgroup import Limit, read_limit

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
PerCore = Annotated[float, Field(gt=0, le=1000)]


@dataclass(frozen=True, slots=True)
class MemoryUsage:
    """Sizes in bytes; `swap_total` is 0 where there is none, `limit` the container's, if any."""

    total: int
    available: int
    swap_total: int = 0
    swap_used: int = 0
    limit: Limit | None = None

    @property
    def used_percent(self) -> float:
        """The share of the machine's memory that cannot be had, or of the container's limit: the
        larger one, in percent."""
        shares = [100 * (1 - self.available / self.total) if self.total else 0.0]
        if self.limit is not None:
            shares.append(100 * self.limit.used / self.limit.most)
        return max(shares)

    @property
    def swap_percent(self) -> float | None:
        """The share of the swap that is used, in percent; None where there is none."""
        return 100 * self.swap_used / self.swap_total if self.swap_total else None


class _Ordered(Check):
    """The base of checks with two limits."""

    @model_validator(mode="after")
    def _fail_above_warn(self) -> Self:
        warn, fail = getattr(self, "warn", 0.0), getattr(self, "fail", 1.0)
        if fail <= warn:
            raise ValueError(f"fail ({fail:g}) must be more than warn ({warn:g})")
        return self


class Memory(_Ordered):
    """Whether memory is left: degraded from `warn` on, unhealthy from `fail` on, in percent used;
    `swap_fail` judges the swap, where there is any. A container's own limit counts (cgroup v2)."""

    warn: Percent = 85.0
    """The share in use from which it is degraded."""
    fail: Percent = 95.0
    """The share in use from which it is unhealthy."""
    swap_fail: Percent | None = None
    """The share of the swap in use from which it is unhealthy."""

    def run(self, context: CheckContext) -> Outcome:
        return evaluate_memory(measure_memory(), self)


class Load(_Ordered):
    """Whether the processors keep up: the load average over `minutes`, for each core that this
    process may use; degraded from `warn` on, unhealthy from `fail` on. Needs a POSIX system."""

    warn: PerCore = 1.5
    """The load for each core from which it is degraded."""
    fail: PerCore = 3.0
    """The load for each core from which it is unhealthy."""
    minutes: Literal[1, 5, 15] = 5
    """Over how long the load is averaged."""

    def run(self, context: CheckContext) -> Outcome:
        average = os.getloadavg()[(1, 5, 15).index(self.minutes)]
        return evaluate_load(average, _cores(), self)


def _cores() -> int:
    """Returns how many this process may use; of the machine where the system does not say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure_memory() -> MemoryUsage:
    """Reads the usage of the machine, and of the container where it has a limit."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    limit = read_limit(CGROUPS, OWN_CGROUP)
    return MemoryUsage(memory.total, memory.available, swap.total, swap.used, limit)


def evaluate_memory(usage: MemoryUsage, limits: Memory) -> Outcome:
    """Returns the outcome, with sizes in bytes and shares in percent."""
    used, swap = round(usage.used_percent, 1), usage.swap_percent
    details = {"used_percent": used, "available_bytes": usage.available}
    if swap is not None:
        details["swap_used_percent"] = round(swap, 1)
    said = f"{used:g}% used, {format_size(usage.available)} available"
    if usage.limit is not None:
        details["limit_bytes"] = usage.limit.most
        said += f", {format_size(usage.limit.used)} of the container's"
        said += f" {format_size(usage.limit.most)}"
    if usage.used_percent >= limits.fail:
        return Outcome.unhealthy(said, **details)
    if swap is not None and limits.swap_fail is not None and swap >= limits.swap_fail:
        return Outcome.unhealthy(f"{swap:.1f}% of the swap used", **details)
    if usage.used_percent >= limits.warn:
        return Outcome.degraded(said, **details)
    return Outcome.healthy(said, **details)


def evaluate_load(average: float, cores: int, limits: Load) -> Outcome:
    """Returns the outcome of a load average on so many cores."""
    per_core = average / max(1, cores)
    said = f"load {average:.2f} on {cores} cores in {limits.minutes} min"
    details = {"load": round(average, 2), "per_core": round(per_core, 2), "cores": cores}
    if per_core >= limits.fail:
        return Outcome.unhealthy(said, **details)
    if per_core >= limits.warn:
        return Outcome.degraded(said, **details)
    return Outcome.healthy(said, **details)


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"memory": Memory, "load": Load}
