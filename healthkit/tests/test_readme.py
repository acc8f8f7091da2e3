"""README.md is the whole of what a user may rely on."""

import inspect
import re
from pathlib import Path

import healthkit
from healthkit import _hookspecs

TESTS = Path(__file__).parent
DOCUMENT = (TESTS.parent / "README.md").read_text(encoding="utf-8")
HOOKS = {name: one for name, one in vars(_hookspecs).items() if name.startswith("healthkit_")}


def first_cells(heading):
    """The first cells of the table whose first heading is this."""
    lines = iter(DOCUMENT.splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    return
                yield row.split("|")[1].strip()


def codes(text):
    return re.findall(r"`([^`]+)`", text)


def test_every_hook_stands_in_the_table_with_its_arguments():
    table = [codes(cell)[0] for cell in first_cells("hook")]
    arguments = {
        name: ", ".join(inspect.signature(hook).parameters) for name, hook in HOOKS.items()
    }
    assert table == [f"{name}({arguments[name]})" for name in HOOKS]


def test_every_hook_has_a_test_that_is_named_after_it():
    sources = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.glob("test_*.py"))
    tests = re.findall(r"def (test_\w+)\(", sources)
    assert [hook for hook in HOOKS if not any(hook in test for test in tests)] == []


def test_what_is_public_is_what_the_readme_documents():
    table = [name for cell in first_cells("name") for name in codes(cell)]
    assert sorted(table) == sorted(healthkit.__all__)
