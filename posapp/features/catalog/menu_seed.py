"""A menu to be written: values without ids, in the order in which the till shows them."""

from __future__ import annotations

from dataclasses import dataclass

Option = tuple[str, str, int]
"""Indonesian name, English name, price in rupiah: what a modifier adds, or what a variant costs."""


@dataclass(frozen=True, slots=True)
class ModifierGroupSeed:
    """A choice of at least `minimum` and at most `maximum` of its options."""

    names: tuple[str, str]
    """Indonesian, English."""
    minimum: int
    maximum: int
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class ProductSeed:
    """A product; `modifier_groups` are keys of the groups that are written with it."""

    name: str
    english: str
    price: int
    modifier_groups: tuple[str, ...] = ()
    variants: tuple[Option, ...] = ()


CategorySeed = tuple[str, str, tuple[ProductSeed, ...]]
"""Indonesian name, English name, products."""
