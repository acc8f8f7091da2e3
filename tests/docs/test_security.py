"""Each line of the threat model names the tests that show it, and they are there."""

from __future__ import annotations

import re

from tests.docs.documents import codes, defined_tests, text_of

DOCUMENT = "docs/security.md"
ACTORS = ("Guest", "Staff", "Former staff", "Another user", "bucket", "network")


def _threats() -> list[list[str]]:
    """The cells of each threat."""
    found = []
    for line in text_of(DOCUMENT).splitlines():
        if line.startswith("| ") and not line.startswith(("| threat", "| ---")):
            found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def test_every_threat_has_what_stands_against_it_and_a_test_that_is_there() -> None:
    there = defined_tests()
    assert len(_threats()) > 25
    for threat, against, shown in _threats():
        assert against, threat
        assert codes(shown), f"no test: {threat}"
        assert [name for name in codes(shown) if name not in there] == [], threat


def test_every_actor_has_a_chapter() -> None:
    headings = re.findall(r"^## (.+)$", text_of(DOCUMENT), re.MULTILINE)
    for actor in ACTORS:
        assert any(actor in heading for heading in headings), actor


def test_what_is_not_there_yet_is_said() -> None:
    said = text_of(DOCUMENT).partition("## Not there yet")[2]
    assert "signed" in said
