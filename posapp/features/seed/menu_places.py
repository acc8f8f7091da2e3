"""The mistakes in what entries of a menu say of each other: twins, and groups that are not there.

It reads the JSON as it came, so that these mistakes are told beside those of single fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]
"""Where something stands in the JSON: ("categories", 0, "products", 2, "price")."""

Mistake = tuple[Place, str]


def disagreements(data: Any) -> Iterator[Mistake]:
    """Yields the mistakes that no field can see by itself."""
    yield from _twins(data, "groups", ())
    yield from _twins(data, "categories", ())
    for place, group in _entries(data, "groups", ()):
        yield from _twins(group, "options", place)
        yield from _range(group, place)
    known = {_name(group) for _, group in _entries(data, "groups", ())}
    for place, category in _entries(data, "categories", ()):
        yield from _twins(category, "products", place)
        for at, product in _entries(category, "products", place):
            yield from _twins(product, "variants", at)
            yield from _choices(product, at, known)


def _range(group: dict[str, Any], place: Place) -> Iterator[Mistake]:
    least, most, count = group.get("min"), group.get("max"), len(_items(group, "options"))
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield (*place, "min"), f"is more than max ({most})"
    if isinstance(most, int) and most > count:
        yield (*place, "max"), f"is more than there are options ({count})"


def _choices(product: dict[str, Any], place: Place, known: set[str]) -> Iterator[Mistake]:
    chosen = [name for name in _items(product, "groups") if isinstance(name, str)]
    for name in chosen:
        if name not in known:
            yield (*place, "groups"), f"there is no group {name!r}"
    if len(set(chosen)) < len(chosen):
        yield (*place, "groups"), "names a group twice"


def _twins(owner: Any, key: str, place: Place) -> Iterator[Mistake]:
    seen: set[str] = set()
    for at, entry in _entries(owner, key, place):
        name = _name(entry)
        if name and name.casefold() in seen:
            yield (*at, "name"), f"{name!r} is there twice"
        seen.add(name.casefold())


def _entries(owner: Any, key: str, place: Place) -> Iterator[tuple[Place, dict[str, Any]]]:
    for i, entry in enumerate(_items(owner, key)):
        if isinstance(entry, dict):
            yield (*place, key, i), entry


def _items(owner: Any, key: str) -> list[Any]:
    value = owner.get(key) if isinstance(owner, dict) else None
    return value if isinstance(value, list) else []


def _name(entry: dict[str, Any]) -> str:
    name = entry.get("name")
    return name.strip() if isinstance(name, str) else ""
