"""Evaluates backups: a pure function of the backups, the time and the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from healthkit import Outcome, Status
from healthkit.fields import format_duration, format_size
from healthkit_backup_freshness.catalogue import BackupFile

USUAL_OF = 7
"""Earlier backups that the usual size is taken from."""
USUAL_FROM = 3
"""With fewer, nothing is usual yet."""
AHEAD = timedelta(hours=1)
"""The time that a clock may be ahead before a backup counts as dated in the future."""


@dataclass(frozen=True, slots=True)
class FreshnessRules:
    """The limits of a good backup; `min_size` is in bytes."""

    max_age: timedelta
    min_size: int
    max_restore_age: timedelta


_WORST_FIRST = (Status.UNHEALTHY, Status.DEGRADED, Status.HEALTHY)

Fault = tuple[Status, str]


def evaluate(backups: Sequence[BackupFile], now: datetime, rules: FreshnessRules) -> Outcome:
    """Unhealthy when the newest backup is missing, old, empty, small or cut; degraded when it is
    not proven or not uploaded, or when none has been restored for too long."""
    if not backups:
        return Outcome.unhealthy("there is no backup", count=0)
    ordered = sorted(backups, key=lambda one: (one.at, one.name))
    newest, earlier = ordered[-1], ordered[:-1]
    details: dict[str, Any] = {
        "newest": newest.name,
        "age": format_duration(now - newest.at),
        "size_bytes": newest.size,
        "count": len(ordered),
    }
    faults = [
        *_age_faults(newest, now, rules),
        *_size_faults(newest, earlier, rules),
        *_proof_faults(newest, ordered),
        *_restore_faults(ordered, now, rules),
    ]
    if not faults:
        age, size = details["age"], format_size(newest.size)
        return Outcome.healthy(f"{age} old, {size}", **details)
    faults.sort(key=lambda fault: fault[0] is not Status.UNHEALTHY)
    return Outcome(faults[0][0], "; ".join(text for _, text in faults), details)


def by_restaurant(
    backups: Sequence[BackupFile], identity: str | None
) -> Mapping[str, Sequence[BackupFile]]:
    """Returns the backups of each who keeps theirs here, by identity; of one alone where that is
    given. What states none belongs to the only one, if there is one."""
    stated = {one.manifest.identity for one in backups if one.manifest and one.manifest.identity}
    if identity is None and len(stated) <= 1:
        return {"": backups}
    return {
        name: [one for one in backups if one.manifest and one.manifest.identity == name]
        for name in sorted(stated if identity is None else {identity})
    }


def evaluate_all(
    backups: Sequence[BackupFile], now: datetime, rules: FreshnessRules, identity: str | None
) -> Outcome:
    """Evaluates the backups of each by themselves: the fresh ones of one hide no stale ones of
    another. The worst comes first."""
    groups = by_restaurant(backups, identity)
    outcomes = {name: evaluate(group, now, rules) for name, group in groups.items()}
    if len(outcomes) == 1:
        return next(iter(outcomes.values()))
    ordered = sorted(outcomes.items(), key=lambda one: _WORST_FIRST.index(one[1].status))
    texts = [f"{name}: {outcome.message}" for name, outcome in ordered]
    return Outcome(ordered[0][1].status, "; ".join(texts), {"restaurants": len(outcomes)})


def _age_faults(newest: BackupFile, now: datetime, rules: FreshnessRules) -> list[Fault]:
    if newest.at - now > AHEAD:
        ahead = format_duration(newest.at - now)
        return [(Status.DEGRADED, f"the newest backup is dated {ahead} in the future")]
    if now - newest.at > rules.max_age:
        age, most = format_duration(now - newest.at), format_duration(rules.max_age)
        return [(Status.UNHEALTHY, f"the newest backup is {age} old, more than {most}")]
    return []


def _size_faults(
    newest: BackupFile, earlier: Sequence[BackupFile], rules: FreshnessRules
) -> list[Fault]:
    """At most one: what is empty is also small."""
    size = format_size(newest.size)
    recorded = newest.manifest.size_bytes if newest.manifest else None
    usual = _usual(newest, earlier)
    if newest.size == 0:
        text = "the newest backup is empty"
    elif recorded is not None and recorded != newest.size:
        text = f"the newest backup is cut: {size} of {format_size(recorded)}"
    elif newest.size < rules.min_size:
        text = f"the newest backup is too small: {size}, less than {format_size(rules.min_size)}"
    elif usual is not None and newest.size < usual / 2:
        text = f"the newest backup is too small: {size}, usual are {format_size(usual)}"
    else:
        return []
    return [(Status.UNHEALTHY, text)]


def _usual(newest: BackupFile, earlier: Sequence[BackupFile]) -> float | None:
    """The median size of the backups before; only where there is a catalogue, for without one
    different things may lie side by side."""
    sizes = [one.size for one in earlier[-USUAL_OF:]]
    if newest.manifest is None or len(sizes) < USUAL_FROM:
        return None
    return median(sizes)


def _proof_faults(newest: BackupFile, ordered: Sequence[BackupFile]) -> list[Fault]:
    if newest.unreadable:
        return [(Status.DEGRADED, "the manifest of the newest backup cannot be read")]
    if newest.manifest is None:
        catalogued = any(one.manifest for one in ordered)
        text = "the newest backup has no manifest, so it is unverified"
        return [(Status.DEGRADED, text)] if catalogued else []
    faults = []
    if newest.manifest.verified_at is None:
        faults.append((Status.DEGRADED, "the newest backup is unverified"))
    if newest.manifest.s3_expected and newest.manifest.uploaded_at is None:
        faults.append((Status.DEGRADED, "the newest backup is not uploaded"))
    return faults


def _restore_faults(
    ordered: Sequence[BackupFile], now: datetime, rules: FreshnessRules
) -> list[Fault]:
    """From the last restore, or from the first backup when there was none yet."""
    manifests = [one.manifest for one in ordered if one.manifest]
    restored = [at for m in manifests for at in (m.restored_at, m.last_restored_at) if at]
    created = [at for m in manifests for at in (m.created_at, m.first_created_at) if at]
    if not created:
        return []
    since = now - (max(restored) if restored else min(created))
    if since <= rules.max_restore_age:
        return []
    text = f"no backup has been restored for {since.days} days"
    return [(Status.DEGRADED, text if restored else f"{text}, or ever")]
