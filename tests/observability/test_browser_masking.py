"""What leaves the browser is masked by the same cases as what leaves the server."""

import json

import pytest

from healthkit.masking import mask
from tools import build_web

CASES = json.loads((build_web.WEB / "src" / "lib" / "masking-cases.json").read_text())


@pytest.mark.parametrize("case", CASES["texts"], ids=lambda case: case["text"][:20])
def test_the_server_masks_what_the_browser_masks(case):
    assert case["secret"] not in mask(case["text"])


@pytest.mark.parametrize("name", CASES["names"])
def test_the_server_knows_the_names_that_the_browser_knows(name):
    assert "harmless-1" not in mask(f"{name}=harmless-1")


@pytest.mark.parametrize("name", CASES["harmless"])
def test_the_server_leaves_alone_what_the_browser_leaves_alone(name):
    assert mask(f"{name}=harmless-1") == f"{name}=harmless-1"
