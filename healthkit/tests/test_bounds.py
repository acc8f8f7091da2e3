"""The documented table of bounds is what the code holds."""

import importlib
import re
from datetime import timedelta
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "bounds.md"
ROW = re.compile(
    r"^\| ([^|]+) \| (\d+)( days)?[^|]* \| ([^|]+) \| `([\w.]+)\.(\w+)` \|$", re.MULTILINE
)
SECTION = PAGE.read_text()
ROWS = ROW.findall(SECTION)


def test_the_table_has_a_row_for_each_kind_of_thing_that_grows():
    assert len(ROWS) == SECTION.count("` |\n")
    assert len(ROWS) >= 15


@pytest.mark.parametrize(("what", "number", "days", "then", "module", "name"), ROWS)
def test_each_bound_is_the_one_in_the_code(what, number, days, then, module, name):
    bound = getattr(importlib.import_module(f"healthkit.{module}"), name)
    assert bound == (timedelta(days=int(number)) if days else int(number)), what
