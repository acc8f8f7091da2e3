"""The Python sources of the workspace as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("posapp", "healthkit/src", "plugins/*/src")


@cache
def modules() -> dict[str, ast.Module]:
    """By path from the root; the front end's folder holds none of ours."""
    files = (path for package in PACKAGES for path in ROOT.glob(f"{package}/**/*.py"))
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(files)
        if "node_modules" not in path.parts
    }


def classes() -> Iterator[tuple[str, str]]:
    """(name, path) of each class at the top of a module."""
    for path, module in modules().items():
        yield from ((node.name, path) for node in module.body if isinstance(node, ast.ClassDef))
