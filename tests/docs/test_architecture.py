"""docs/architecture.md says what pyproject.toml says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.docs.documents import ROOT, codes, rows

DOCUMENT = "docs/architecture.md"
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def wanted_by_pyprojects() -> Iterator[tuple[str, str]]:
    """(dependency, distribution), an extra in brackets."""
    files = {"posapp": ROOT / "pyproject.toml", "healthkit": ROOT / "healthkit" / "pyproject.toml"}
    files |= {path.parent.name: path for path in ROOT.glob("plugins/*/pyproject.toml")}
    for name, path in files.items():
        project = tomllib.loads(Path(path).read_text())["project"]
        groups = {name: project["dependencies"]}
        for extra, needed in project.get("optional-dependencies", {}).items():
            groups[f"{name}[{extra}]"] = needed
        for distribution, needed in groups.items():
            yield from ((re.split(r"[\[<>=~!; ]", one)[0], distribution) for one in needed)


def test_every_runtime_dependency_has_its_line_with_a_reason_and_no_other_has() -> None:
    table = rows(DOCUMENT, "dependency")
    told = {(codes(name)[0], one) for name, of, _ in table for one in of.split(", ")}
    assert told == set(wanted_by_pyprojects())
    assert [name for name, _, reason in table if len(reason.split()) < 3] == []


def test_the_layers_of_healthkit_are_those_of_the_contract() -> None:
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    contract = [
        {module.strip().removeprefix("healthkit.") for module in layer.split("|")}
        for layer in reversed(layers)
    ]
    table = [set(codes(modules)) for modules, _ in rows(DOCUMENT, "module")]
    assert table == contract
