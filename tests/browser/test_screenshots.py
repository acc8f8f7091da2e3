"""Pictures of all screens at all sizes, themes and languages, for people to look at."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.test_order_screen import take_elsewhere
from tests.browser.test_sell import write_takeaway
from tests.browser.test_widths import WIDTHS, office, visit  # noqa: F401  a fixture

pytestmark = [pytest.mark.browser, pytest.mark.screenshots]

FOLDER = Path("var/screenshots")


@pytest.mark.parametrize("size", WIDTHS)
def test_every_screen_has_its_picture_in_each_theme_and_language(
    office: Page,  # noqa: F811
    size: str,
) -> None:
    width, height = WIDTHS[size]
    order = take_elsewhere(office, type="takeaway")
    write_takeaway(office)
    office.set_viewport_size({"width": width, "height": height})
    FOLDER.mkdir(parents=True, exist_ok=True)
    for language, theme in product(("id", "en"), ("light", "dark")):
        made = []
        for where in visit(office, order["id"], language, theme):
            screen = re.sub(r"\W+|\d+", "-", where.partition(",")[0]).strip("-")
            made.append(FOLDER / f"{size}-{theme}-{language}-{screen}.png")
            office.screenshot(path=made[-1])
        assert len(set(made)) >= 8, made
