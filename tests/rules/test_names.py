"""One word is one thing, and the words are the field's."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from tests.docs.documents import codes, text_of
from tests.rules.sources import classes, modules

PER_PACKAGE = {"Settings", "HealthMiddleware"}
"""Each distribution, and each kind of mount, has its own; the package or module says whose."""
NOT_THE_FIELDS = {"away", "mended", "spoilt", "told", "heard", "owed"}
"""The field says fails, unavailable, retries, expired, logs, sends (names of things in code)."""
NOT_THE_FIELDS_TOGETHER = "left_alone"
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_CLASS = re.compile(r"[A-Z]\w*[a-z]\w*")


def test_a_public_class_name_is_defined_once_in_the_workspace() -> None:
    found = defaultdict(list)
    for name, path in classes():
        if not name.startswith("_") and name not in PER_PACKAGE:
            found[name].append(path)
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_no_docstring_begins_with_a_question_word() -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    wrong = [
        f"{path}:{getattr(node, 'lineno', 1)}"
        for path, module in modules().items()
        for node in ast.walk(module)
        if isinstance(node, documented)
        and re.match(r"(What|Why|Who|How)\b", ast.get_docstring(node) or "")
    ]
    assert wrong == []


def test_no_name_is_made_of_a_word_that_the_field_does_not_use() -> None:
    wrong = [
        f"{path}:{line} {name}"
        for path, module in modules().items()
        for name, line in _named(module)
        if NOT_THE_FIELDS & {word.lower() for word in _WORDS.findall(name)}
        or NOT_THE_FIELDS_TOGETHER in name.lower()
    ]
    assert wrong == []


def test_every_class_of_the_glossary_exists() -> None:
    table = [line for line in text_of("docs/glossary.md").splitlines() if line.startswith("|")]
    named = {code for line in table for code in codes(line) if _CLASS.fullmatch(code)}
    assert named
    assert sorted(named - {name for name, _ in classes()}) == []


def _named(module: ast.Module) -> Iterator[tuple[str, int]]:
    """What the module itself gives a name to: definitions, parameters, variables, attributes."""
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr, node.lineno
