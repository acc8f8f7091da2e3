"""healthkit/README.md is the whole of what a user may rely on."""

from __future__ import annotations

import inspect
import re

import healthkit
from healthkit import _hookspecs
from tests.docs.documents import ROOT, codes, rows

DOCUMENT = "healthkit/README.md"
HOOKS = {name: one for name, one in vars(_hookspecs).items() if name.startswith("healthkit_")}


def test_every_hook_stands_in_the_table_with_its_arguments() -> None:
    table = [codes(row[0])[0] for row in rows(DOCUMENT, "hook")]
    assert table == [f"{name}({', '.join(_arguments(name))})" for name in HOOKS]


def test_every_hook_has_a_test_that_is_named_after_it() -> None:
    sources = (ROOT / "healthkit" / "tests").glob("test_*.py")
    tests = re.findall(r"def (test_\w+)\(", "\n".join(path.read_text() for path in sources))
    assert [hook for hook in HOOKS if not any(hook in test for test in tests)] == []


def test_what_is_public_is_what_the_readme_documents() -> None:
    table = {name for row in rows(DOCUMENT, "name") for name in codes(row[0])}
    assert table == set(healthkit.__all__)


def _arguments(hook: str) -> list[str]:
    return list(inspect.signature(HOOKS[hook]).parameters)
