"""The documents of the repository, taken apart."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")


def documents() -> list[str]:
    """Every Markdown file that is ours, as a path from the root."""
    folders = (".", "docs", "docs/adr", "healthkit", "healthkit/docs/**", "plugins/*", "posapp/web")
    found = (path for folder in folders for path in ROOT.glob(f"{folder}/*.md"))
    return sorted(str(path.relative_to(ROOT)) for path in found)


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def fences(document: str) -> list[tuple[str, str]]:
    """The fenced blocks with their language, in their order."""
    return _FENCE.findall(text_of(document))


def blocks(document: str, language: str) -> list[str]:
    """The fenced blocks in a language."""
    return [body for name, body in fences(document) if name == language]


def prose(document: str) -> str:
    """The document without its fenced blocks."""
    return _FENCE.sub("", text_of(document))


def links(document: str) -> Iterator[str]:
    for in_markdown, in_html in _LINK.findall(prose(document)):
        yield in_markdown or in_html


def anchors(document: str) -> set[str]:
    """What a link can name after `#`, as GitHub makes it of a heading."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {words.strip().replace(" ", "-") for words in plain}


def rows(document: str, heading: str) -> list[list[str]]:
    """The cells of the table whose first column has this heading."""
    table = re.search(
        rf"^\| {re.escape(heading)} \|.*\n\|[ |:-]+\n((?:\|.*\n)+)", text_of(document), re.MULTILINE
    )
    assert table, f"{document} has no table of `{heading}`"
    lines = table[1].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def codes(text: str) -> list[str]:
    """The `code` in a text."""
    spans = re.finditer(r"(?<!`)(`+)(?!`)([^\n]+?)(?<!`)\1(?!`)", text)
    return [span[2] for span in spans]


def defined_tests() -> set[str]:
    """The names of all tests of the workspace."""
    return {
        node.name
        for folder in ("tests", "healthkit/tests", "plugins")
        for path in (ROOT / folder).rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
