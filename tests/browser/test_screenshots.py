"""Pictures of all screens at all sizes, themes and languages, to be looked at; and README's."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.staff import Colleague
from tests.browser.test_order_screen import choose, open_steak
from tests.browser.test_sell import WATER, bill, tap
from tests.browser.test_widths import WIDTHS, office, visit  # noqa: F401  a fixture

pytestmark = [pytest.mark.browser, pytest.mark.screenshots]

FOLDER = Path("var/screenshots")
README = Path("docs/images")

EVENING = (
    ("A2", 2, ("Sirloin Lokal", "Kentang Truffle"), "cash"),
    ("A5", 4, ("Tenderloin Australia", "Ribeye Australia", "Air Mineral"), "card"),
    ("T3", 2, ("Burger Sapi Klasik", "Es Teh Manis"), "qris"),
    (None, None, ("Nasi Goreng Kampung",), "qris"),
    ("A1", 2, ("Wagyu Sirloin MB5", "Air Mineral"), None),
    ("A7", 4, ("T-Bone 500 g", "Salmon Panggang", "Air Mineral"), None),
    ("B4", 6, ("Tomahawk 1,2 kg", "Kentang Truffle"), None),
    (None, None, ("Burger Wagyu",), None),
)
"""Who sat where, how many, what they ate, and how it was paid, if it was."""


@pytest.fixture(scope="module")
def evening(house) -> dict[str, Any]:
    """A house that is full; the order that is still to be paid at table A7."""
    waiter, cashier = Colleague(house.url, "waiter"), Colleague(house.url, "cashier")
    tables = {t["name"]: t["id"] for f in waiter.get("/tables")["floors"] for t in f["tables"]}
    orders = {}
    for table, guests, dishes, method in EVENING:
        where = {"type": "dine_in", "table_id": tables.get(table), "guests": guests}
        lines = [as_offered(waiter.products[dish]) for dish in dishes]
        body = {**(where if table else {"type": "takeaway"}), "lines": lines}
        orders[table] = order = waiter.send("POST", "/orders", body)
        if method == "cash":
            cashier.pay(order, "cash", amount=order["cash_due"], tendered=order["cash_due"])
        elif method:
            cashier.pay(order, method)
    return orders["A7"]


def as_offered(dish: dict[str, Any]) -> dict[str, Any]:
    """One of a dish, with the first that may be chosen wherever something must be."""
    groups = dish["modifier_groups"]
    chosen = [one["id"] for group in groups for one in group["modifiers"][: group["min"]]]
    return {"product_id": dish["id"], "quantity": 1, "modifier_ids": chosen}


def write_dinner(page: Page) -> None:
    """The order of table T7."""
    page.keyboard.press("F2")
    page.locator("[data-table]").first.wait_for()
    page.keyboard.type("T7")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for(state="detached")
    for size in ("150 g", "200 g"):
        sheet = open_steak(page)
        sheet.get_by_role("radio", name=size).click()
        choose(sheet)
        page.keyboard.press("F8")
        sheet.wait_for(state="detached")
    for dish in ("Kentang Truffle", WATER):
        tap(page, dish)
    page.get_by_role("tab", name="Steak").click()
    expect(bill(page)).to_have_count(4)
    expect(page.locator("aside [data-stale=true], aside .mantine-Skeleton-root")).to_have_count(0)
    expect(page.get_by_test_id("total")).to_contain_text("Rp")


@pytest.mark.parametrize("size", WIDTHS)
def test_every_screen_has_its_picture_in_each_theme_and_language(
    office: Page,  # noqa: F811
    evening: dict[str, Any],
    size: str,
) -> None:
    width, height = WIDTHS[size]
    write_dinner(office)
    office.set_viewport_size({"width": width, "height": height})
    FOLDER.mkdir(parents=True, exist_ok=True)
    for language, theme in product(("id", "en"), ("light", "dark")):
        made = []
        for where in visit(office, evening["id"], language, theme):
            screen = re.sub(r"\W+|\d+", "-", where.partition(",")[0]).strip("-")
            made.append(FOLDER / f"{size}-{theme}-{language}-{screen}.png")
            office.screenshot(path=made[-1])
        assert len(set(made)) >= 8, made


def test_readme_has_its_pictures(till: Page, evening: dict[str, Any]) -> None:
    README.mkdir(exist_ok=True)
    write_dinner(till)
    till.screenshot(path=README / "order.png")
    till.get_by_role("button", name="Kirim pesanan").click()
    till.get_by_role("link", name="Bayar sekarang").click()
    till.get_by_test_id("due").wait_for()
    till.get_by_role("button", name=re.compile("Rp")).first.click()
    till.screenshot(path=README / "pay.png")
    till.goto("/app/status")
    till.get_by_test_id("check-database").wait_for()
    till.screenshot(path=README / "status.png")
