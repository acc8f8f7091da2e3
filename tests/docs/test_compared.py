"""Each line of the comparison names the tests that show it, and they are there."""

from __future__ import annotations

from tests.docs.documents import codes, defined_tests, text_of

DOCUMENT = "healthkit/COMPARED.md"


def test_every_claim_has_a_test_that_is_there() -> None:
    lines = [one for one in text_of(DOCUMENT).splitlines() if one.startswith("| ")]
    claims = [one for one in lines if not one.startswith(("| |", "| ---"))]
    assert len(claims) > 15
    there = defined_tests()
    for claim in claims:
        *_, shown = claim.strip("|").split(" | ")
        assert len(claim.strip("|").split(" | ")) == 8, claim
        assert codes(shown), claim
        assert [name for name in codes(shown) if name not in there] == [], claim
