"""A menu as CSV: a row for each thing, under the name of what it belongs to.

Comma or semicolon between the cells, as the spreadsheet of the country writes it.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from posapp.features.seed.menu_places import Place

COLUMNS = ("kind", "name", "name_en", "price", "of", "groups", "min", "max")
KINDS = ("group", "option", "category", "product", "variant")

TEMPLATE = """\
kind,name,name_en,price,of,groups,min,max
group,Kematangan,Doneness,,,,1,1
option,Medium,Medium,0,Kematangan,,,
option,Well Done,Well done,0,Kematangan,,,
group,Tambahan,Extras,,,,0,2
option,Telur Mata Sapi,Fried egg,6000,Tambahan,,,
option,Keju Leleh,Melted cheese,10000,Tambahan,,,
category,Steak,Steaks,,,,,
product,Sirloin Lokal,Local Sirloin,89000,Steak,Kematangan|Tambahan,,
variant,150 g,150 g,89000,Sirloin Lokal,,,
variant,200 g,200 g,115000,Sirloin Lokal,,,
category,Minuman,Drinks,,,,,
product,Air Mineral,Mineral Water,12000,Minuman,,,
"""

_BELONGS = {
    "option": ("group", "options"),
    "product": ("category", "products"),
    "variant": ("product", "variants"),
}
"""The kind that it belongs to, and where it is listed there."""

_CELLS = {
    "group": ("min", "max"),
    "option": ("price", "of"),
    "category": (),
    "product": ("price", "of", "groups"),
    "variant": ("price", "of"),
}
"""The cells of each kind beside its names."""


def template(form: str) -> str:
    """Returns a small menu to begin with, as `csv` or `json`."""
    if form == "csv":
        return TEMPLATE
    data, _, _ = parse(TEMPLATE)
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def parse(text: str) -> tuple[dict[str, Any], dict[Place, int], list[str]]:
    """Returns the menu as the JSON of `MenuFile`, the row of each place in it, and the mistakes
    that only a table can have."""
    header = text.split("\n", 1)[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    table = _Table()
    try:
        columns = [cell.strip().lower() for cell in next(reader, [])]
        if sorted(columns) != sorted(COLUMNS):
            missing = ", ".join(name for name in COLUMNS if name not in columns)
            wrong = f"missing {missing}" if missing else "unknown or doubled columns"
            return {}, {}, [f"row 1: must be the columns {','.join(COLUMNS)}: {wrong}"]
        for cells in reader:
            if any(cell.strip() for cell in cells):
                table.add(reader.line_num, columns, cells)
    except csv.Error as error:
        table.mistakes.append(f"row {reader.line_num}: is no CSV: {error}")
    return table.data, table.rows, table.mistakes


class _Table:
    """The menu so far."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {"groups": [], "categories": []}
        self.rows: dict[Place, int] = {}
        self.mistakes: list[str] = []
        self._known: dict[tuple[str, str], tuple[Place, dict[str, Any]]] = {}

    def add(self, row: int, columns: list[str], cells: list[str]) -> None:
        if len(cells) > len(columns):
            self.mistakes.append(f"row {row}: has {len(cells)} cells, not {len(columns)}")
            return
        values = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
        kind = values.get("kind", "").lower()
        if kind not in KINDS:
            self.mistakes.append(f"row {row}: kind: must be one of {', '.join(KINDS)}")
            return
        for name in COLUMNS[3:]:
            if values.get(name) and name not in _CELLS[kind]:
                self.mistakes.append(f"row {row}: {name}: must be empty for a {kind}")
        self._place(row, kind, values)

    def _place(self, row: int, kind: str, values: dict[str, str]) -> None:
        place: Place
        if kind not in _BELONGS:
            place = ("groups",) if kind == "group" else ("categories",)
            siblings = self.data[place[0]]
        else:
            owner, where = _BELONGS[kind]
            known = self._known.get((owner, values.get("of", "").casefold()))
            if known is None:
                self.mistakes.append(
                    f"row {row}: of: there is no {owner} {values.get('of', '')!r} above it"
                )
                return
            siblings, place = known[1][where], (*known[0], where)
        entry = _entry(kind, values)
        place = (*place, len(siblings))
        siblings.append(entry)
        self.rows[place] = row
        self._known[(kind, entry["name"].casefold())] = (place, entry)


def _entry(kind: str, values: dict[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": values.get("name", "")}
    if values.get("name_en"):
        entry["name_en"] = values["name_en"]
    for name in ("price", "min", "max"):
        if name in _CELLS[kind]:
            entry[name] = _number(values.get(name, ""))
    if kind == "group":
        entry["options"] = []
    elif kind == "category":
        entry["products"] = []
    elif kind == "product":
        groups = (name.strip() for name in values.get("groups", "").split("|"))
        entry |= {"groups": [name for name in groups if name], "variants": []}
    return entry


def _number(cell: str) -> int | str:
    """A cell that is no number stays text, which its field refuses by name."""
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= 12 else cell
