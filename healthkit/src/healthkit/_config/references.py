"""Checks the names by which tables refer to each other: unknown ones, and cycles."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from healthkit._config.validation import quoted
from healthkit.errors import ConfigProblem, did_you_mean

Links = Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]
"""Group, table and key with the names that stand there."""

_REFERENCES = (
    ("checks", "depends_on", "check"),
    ("channels", "fallback", "channel"),
    ("routes", "channels", "channel"),
    ("routes", "escalate_to", "channel"),
    ("maintenance", "checks", "check"),
    ("slo", "checks", "check"),
)


def document_links(document: Mapping[str, Any]) -> Links:
    """Returns the references of a document as it is, so that a mistake elsewhere in a table hides
    none of its references."""
    return {
        group: {
            name: {key: _names(table, key) for of, key, _ in _REFERENCES if of == group}
            for name, table in tables(document, group).items()
        }
        for group, _, _ in _REFERENCES
    }


def tables(document: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Returns the tables of a group; what is no table is left out."""
    found = document.get(group)
    if not isinstance(found, Mapping):
        return {}
    return {name: table for name, table in found.items() if isinstance(table, Mapping)}


def reference_problems(
    links: Links, checks: Collection[str], channels: Collection[str]
) -> list[ConfigProblem]:
    """Returns references to checks or channels that do not exist, and one cycle for each key."""
    problems = []
    known = {"check": checks, "channel": channels}
    for group, key, what in _REFERENCES:
        edges = {name: table.get(key, ()) for name, table in links[group].items()}
        for name, referred in edges.items():
            for other in referred:
                if other not in known[what]:
                    message = f"unknown {what} {quoted(other)}{did_you_mean(other, known[what])}"
                    problems.append(ConfigProblem(f"{group}.{name}.{key}", message))
        if group == f"{what}s" and (cycle := find_cycle(edges)):  # else they are not of one kind
            path = " → ".join((*cycle, cycle[0]))
            message = f"goes round in a cycle: {path}"
            problems.append(ConfigProblem(f"{group}.{cycle[0]}.{key}", message))
    return problems


def _names(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Returns one name or a list of them; what is neither has been reported already."""
    value = table.get(key, ())
    names = (value,) if isinstance(value, str) else value
    return tuple(n for n in names if isinstance(n, str)) if isinstance(names, list | tuple) else ()


def find_cycle(edges: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Returns the names of one cycle in a graph, or nothing."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        *cycle, _ = reversed(error.args[1])  # its first is its last as well
        first = min(range(len(cycle)), key=lambda place: list(edges).index(cycle[place]))
        return (*cycle[first:], *cycle[:first])
    return ()
