"""The contents of a database besides rows, as far as a restore has to bring them back: pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class SequenceState(BaseModel):
    """The last value that a sequence gave out, None where this role may not know it, and how much
    it goes on by; 0 for one that begins anew at its end."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    last: int | None
    step: int


class Contents(BaseModel):
    """All that a snapshot shows besides rows; names are as PostgreSQL identifies objects."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sequences: dict[str, SequenceState]
    large_objects: int
    materialized: dict[str, bool]
    """Materialized views, and whether they have rows."""
    rights: dict[str, tuple[str, ...]]
    """The owner of each object, and what was granted (`+`) and revoked (`-`) besides the usual."""
    extensions: tuple[str, ...]
    extension_schemas: dict[str, str] = {}
    """The schema of each; a backup that was made before it was kept names none."""


def differences(expected: Contents, found: Contents) -> list[str]:
    """Returns what a restored database lacks, or has in excess, a line each."""
    large = found.large_objects
    lines = [
        *_compare("sequence", expected.sequences, found.sequences, _goes_on),
        *_compare("materialized view", expected.materialized, found.materialized),
        *_compare("rights on", expected.rights, found.rights),
    ]
    if expected.large_objects != large:
        lines.append(f"large objects: {large} instead of {expected.large_objects}")
    if missing := sorted({*expected.extensions} - {*found.extensions}):
        lines.append(f"extensions: {', '.join(missing)} missing")
    here = found.extension_schemas
    for name, schema in sorted(expected.extension_schemas.items()):
        if here.get(name, schema) != schema:
            lines.append(f"extension {name}: in schema {here[name]} instead of {schema}")
    return lines


def _goes_on(before: SequenceState, now: SequenceState) -> bool:
    """Whether a sequence goes on behind what it gave out: it counts in no snapshot, so that a dump
    may have taken it further."""
    if now.step != before.step:
        return False
    if before.last is None or before.step == 0:
        return True
    return now.last is not None and (now.last - before.last) * before.step >= 0


def _same(before: object, now: object) -> bool:
    return before == now


def _compare(
    what: str,
    expected: Mapping[str, T],
    found: Mapping[str, T],
    agree: Callable[[T, T], bool] = _same,
) -> list[str]:
    lines = []
    for name in sorted({*expected, *found}):
        if name not in found or name not in expected:
            lines.append(f"{what} {name}: {'missing' if name in expected else 'not in the backup'}")
        elif not agree(expected[name], found[name]):
            lines.append(f"{what} {name}: {_show(found[name])} instead of {_show(expected[name])}")
    return lines


def _show(value: object) -> str:
    if isinstance(value, SequenceState):
        return f"at {value.last} by {value.step}"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "populated" if value is True else "not populated" if value is False else str(value)
