"""The restaurant's own menu from a file: JSON, or CSV as `menu_csv` reads it.

Every mistake is named by where it stands, all of them at once; a menu is taken whole or not at all.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StrictInt, ValidationError

from posapp.features.catalog.menu_seed import CategorySeed, ModifierGroupSeed, Option, ProductSeed
from posapp.features.seed import menu_csv
from posapp.features.seed.menu_places import Place, disagreements
from posapp.http.schemas import ApiModel, Name
from posapp.runtime.errors import CommandError

LARGEST_FILE = 2_000_000
"""Bytes; a menu of a hundred dishes is twenty thousand."""

MOST_MISTAKES = 20
"""Mistakes that are named; the rest are counted."""

_MESSAGES = {
    "int_type": "must be a whole number, like 89000",
    "extra_forbidden": "unknown field",
    "missing": "is missing",
    "too_short": "is missing",
    "string_too_short": "is missing",
}

Price = Annotated[StrictInt, Field(ge=0, le=10**9)]
"""Rupiah."""


class MenuFileError(CommandError):
    """A file that is no menu: a line for each mistake."""

    def __init__(self, path: Path, mistakes: Sequence[str]) -> None:
        super().__init__(f"{path.name}: {mistakes[0]}")
        self._named = [f"{path.name}: {mistake}" for mistake in mistakes[:MOST_MISTAKES]]
        self._more = len(mistakes) - len(self._named)

    def lines(self) -> list[str]:
        more = [f"and {self._more} more; nothing was written"] if self._more else []
        return [*self._named, *more]


class Named(ApiModel):
    name: Name
    name_en: Name | None = None
    """As `name` when left out."""

    @property
    def names(self) -> tuple[str, str]:
        return self.name, self.name_en or self.name


class Priced(Named):
    price: Price

    @property
    def option(self) -> Option:
        return (*self.names, self.price)


class GroupEntry(Named):
    """A question: at least `min` and at most `max` of its options."""

    min: Annotated[StrictInt, Field(ge=0, le=50)]
    max: Annotated[StrictInt, Field(ge=1, le=50)]
    options: Annotated[list[Priced], Field(min_length=1, max_length=50)]


class ProductEntry(Priced):
    groups: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    """Names of groups."""
    variants: Annotated[tuple[Priced, ...], Field(max_length=50)] = ()


class CategoryEntry(Named):
    products: Annotated[list[ProductEntry], Field(min_length=1, max_length=1000)]


class MenuFile(ApiModel):
    groups: Annotated[tuple[GroupEntry, ...], Field(max_length=500)] = ()
    categories: Annotated[list[CategoryEntry], Field(min_length=1, max_length=200)]

    def group_seeds(self) -> Mapping[str, ModifierGroupSeed]:
        return {
            group.name: ModifierGroupSeed(
                group.names, group.min, group.max, tuple(one.option for one in group.options)
            )
            for group in self.groups
        }

    def category_seeds(self) -> tuple[CategorySeed, ...]:
        return tuple(
            (*category.names, tuple(_product(product) for product in category.products))
            for category in self.categories
        )


def read_menu(path: Path) -> MenuFile:
    """Reads a menu from a file whose name ends in .csv or .json. Raises MenuFileError."""
    text = _text(path)
    if path.suffix.lower() == ".csv":
        data, rows, mistakes = menu_csv.parse(text)
    elif path.suffix.lower() == ".json":
        data, rows, mistakes = _json(path, text), {}, []
    else:
        raise MenuFileError(path, ["must end in .csv or .json; see: posapp seed --template csv"])
    if mistakes and not data:
        raise MenuFileError(path, mistakes)
    found = list(disagreements(data))
    try:
        menu = MenuFile.model_validate(data)
    except ValidationError as error:
        found += [(tuple(fault["loc"]), _message(fault)) for fault in error.errors()]
    if mistakes or found:
        raise MenuFileError(path, mistakes + [_line(place, text, rows) for place, text in found])
    return menu


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise MenuFileError(path, [f"is larger than {LARGEST_FILE // 1_000_000} MB"])
        return content.decode("utf-8-sig")
    except OSError as error:
        raise MenuFileError(path, [(error.strerror or str(error)).lower()]) from None
    except UnicodeDecodeError:
        raise MenuFileError(path, ["is not UTF-8; save it as CSV UTF-8"]) from None


def _json(path: Path, text: str) -> Any:
    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Of two dishes lists no reader may choose one (RFC 7493, section 2.3)."""
        found = dict(pairs)
        if len(found) < len(pairs):
            doubled = next(
                name for name, times in Counter(n for n, _ in pairs).items() if times > 1
            )
            raise MenuFileError(path, [f"{doubled[:100]!r} is there twice in one object"])
        return found

    try:
        return json.loads(text, object_pairs_hook=whole)
    except json.JSONDecodeError as error:
        raise MenuFileError(path, [f"row {error.lineno}: is no JSON: {error.msg}"]) from None
    except (ValueError, RecursionError):
        raise MenuFileError(path, ["is no JSON of a menu"]) from None


def _message(fault: Any) -> str:
    return _MESSAGES.get(fault["type"], str(fault["msg"]).removeprefix("Value error, "))


def _line(place: Place, message: str, rows: Mapping[Place, int]) -> str:
    """Names a mistake by its row where there are rows, and by its place in the JSON else."""
    for end in range(len(place), 0, -1):
        if (row := rows.get(place[:end])) is not None:
            return f"row {row}: {_dotted(place[end:])}{message}"
    return f"{_dotted(place) or 'the file: '}{message}"


def _dotted(place: Place) -> str:
    return f"{'.'.join(map(str, place))}: " if place else ""


def _product(entry: ProductEntry) -> ProductSeed:
    return ProductSeed(
        *entry.option,
        modifier_groups=entry.groups,
        variants=tuple(variant.option for variant in entry.variants),
    )
