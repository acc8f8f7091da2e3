"""The till by keyboard alone, and for who hears the screen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_order_screen import STEAK, choose, open_steak
from tests.browser.test_sell import WATER, bill, tap, write_takeaway

pytestmark = pytest.mark.browser


def focused(page: Page) -> str:
    """What has the focus, in words; "" where it was lost."""
    return str(
        page.evaluate(
            """() => {
                const one = document.activeElement;
                return one === document.body ? "" : one.ariaLabel ?? one.textContent;
            }"""
        )
    )


@pytest.mark.deep
def test_the_focus_is_never_lost(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Nama pengguna").fill("cashier")
    page.get_by_label("Kata sandi", exact=True).fill("cashier-demo")
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Steak").wait_for()
    page.wait_for_function("document.activeElement !== document.body")  # sign-in: at the heading
    tile = page.get_by_role("tabpanel").get_by_role("button", name=STEAK)
    tile.focus()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name=STEAK)
    expect(sheet.get_by_role("radio", name="150 g")).to_be_focused()
    choose(sheet)
    sheet.get_by_role("button", name="Tambah ke tagihan").press("Enter")
    expect(tile).to_be_focused()
    note = page.get_by_role("button", name=f"Catatan untuk {STEAK}")
    note.press("Enter")
    page.keyboard.type("tanpa garam")
    page.keyboard.press("Enter")
    expect(note).to_be_focused()
    page.get_by_role("radiogroup").get_by_text("Bawa pulang").click()
    tap(page, WATER)
    expect(bill(page)).to_have_count(2)
    page.get_by_role("button", name=f"Hapus {STEAK}").press("Enter")
    expect(bill(page)).to_have_count(1)
    expect(bill(page)).to_be_focused()
    page.keyboard.press("Tab")  # the same key at once again would be a second tap
    page.get_by_role("button", name=f"Hapus {WATER}").press("Enter")
    expect(bill(page)).to_have_count(0)
    page.wait_for_function("document.activeElement !== document.body")
    tap(page, WATER)
    expect(bill(page)).to_have_count(1)
    page.get_by_role("button", name="Kirim pesanan").press("Enter")
    expect(page.get_by_role("heading", name="Pesanan terkirim")).to_be_focused()
    page.keyboard.press("Tab")
    page.get_by_role("link", name="Bayar sekarang").press("Enter")
    expect(page.get_by_role("heading", level=1, name=re.compile("^Pesanan "))).to_be_focused()


def test_arrows_go_from_dish_to_dish_and_tab_leaves_them_at_once(till: Page) -> None:
    tiles = till.get_by_role("tabpanel").get_by_role("button")
    till.get_by_role("tab", name="Steak").press("Tab")
    expect(tiles.first).to_be_focused()
    till.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    till.keyboard.press("ArrowDown")
    above, below = (tiles.nth(1).bounding_box(), till.locator(":focus").bounding_box())
    assert above is not None
    assert below is not None
    assert below["y"] > above["y"]
    assert abs(below["x"] - above["x"]) < 2
    till.keyboard.press("End")
    expect(tiles.last).to_be_focused()
    till.keyboard.press("Tab")
    assert not till.evaluate("!!document.activeElement.closest('#menu')")


@pytest.mark.deep
def test_arrows_choose_among_radios_and_f8_adds_and_sends_nothing(till: Page) -> None:
    write_takeaway(till)
    sheet = open_steak(till)
    expect(sheet.get_by_role("radio", name="150 g")).to_be_focused()
    till.keyboard.press("ArrowRight")
    expect(sheet.get_by_role("radio", name="200 g")).to_be_checked()
    till.keyboard.press("Tab")
    till.keyboard.press("ArrowRight")
    expect(sheet.get_by_role("radio", name="Medium Rare", exact=True)).to_be_checked()
    till.keyboard.press("Tab")
    till.keyboard.press("Space")
    till.keyboard.press("Tab")
    till.keyboard.press("Space")
    till.keyboard.press("F8")
    expect(bill(till)).to_have_count(2)
    expect(bill(till).last).to_contain_text("200 g · Medium Rare")


@pytest.mark.deep
def test_a_table_is_found_by_typing_its_name(till: Page) -> None:
    till.keyboard.press("F2")
    dialog = till.get_by_role("dialog", name="Meja mana?")
    dialog.locator("[data-table]").first.wait_for()
    till.keyboard.type("b10")
    expect(dialog.locator("[data-table=B10]")).to_be_focused()
    till.keyboard.press("ArrowLeft")
    assert "B10" not in focused(till)


def test_a_whole_order_goes_by_keys_alone(till: Page) -> None:
    till.keyboard.press("F2")
    dialog = till.get_by_role("dialog", name="Meja mana?")
    free = dialog.locator("[data-busy=false]").last
    free.wait_for()
    name = free.get_attribute("data-table") or ""
    till.keyboard.type(name)
    till.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    tap(till, WATER)
    expect(bill(till)).to_have_count(1)
    till.keyboard.press("F8")
    number = till.get_by_test_id("order-number").inner_text()
    till.keyboard.press("F9")
    expect(till.get_by_role("heading", name=f"Pesanan {number}")).to_be_visible()


@pytest.mark.deep
def test_a_question_mark_lists_the_keys(till: Page) -> None:
    till.keyboard.press("?")
    help_page = till.get_by_role("dialog", name="Tombol papan ketik")
    for key in ("F2", "F4", "F6 F7 F10", "F8", "F9", "1 – 9", "/", "?"):
        expect(help_page.get_by_text(key, exact=True)).to_be_visible()


@pytest.mark.deep
def test_what_changes_on_the_bill_is_announced(till: Page) -> None:
    write_takeaway(till)
    said = till.locator("aside [aria-live=polite]")
    expect(said).to_contain_text(f"{WATER}: 1.")
    expect(said).to_contain_text(re.compile(r"Total Rp\s[\d.]+"))
    till.get_by_role("button", name=f"Tambah satu {WATER}").click()
    expect(said).to_contain_text(f"{WATER}: 2.")
    till.get_by_role("button", name=f"Kurangi satu {WATER}").click()
    expect(said).to_contain_text("dikurangi: 1")
    till.get_by_role("button", name=f"Hapus {WATER}").click()
    expect(said).to_contain_text(f"{WATER} dihapus")


@pytest.mark.deep
def test_every_page_has_a_title_a_heading_and_landmarks_and_the_rail_can_be_skipped(
    till: Page,
) -> None:
    expect(till).to_have_title("Pesan · Steak Kenangan")
    for link, title in (("Terbuka", "Pesanan terbuka"), ("Status", "Status sistem")):
        till.get_by_role("navigation").get_by_role("link", name=link).click()
        expect(till).to_have_title(f"{title} · Steak Kenangan")
        expect(till.get_by_role("heading", level=1)).to_be_focused()
    till.reload()
    expect(till.get_by_role("heading", level=1)).to_have_count(1)
    skip = till.get_by_role("link", name="Langsung ke isi")
    skip.focus()
    till.keyboard.press("Enter")
    expect(till.get_by_role("main")).to_be_focused()
    till.get_by_role("link", name="Pesan", exact=True).click()
    expect(till.get_by_role("radiogroup", name="Jenis pesanan")).to_be_visible()
    expect(till.get_by_role("complementary", name="Tagihan")).to_be_visible()


@pytest.mark.deep
def test_every_check_has_a_name_and_a_guest_finds_the_way_back(page: Page) -> None:
    with page.expect_response("**/health") as answer:
        page.goto("/app/status")
    for check in answer.value.json()["checks"]:
        heading = page.get_by_test_id(f"check-{check}").get_by_role("heading")
        expect(heading).not_to_contain_text(check if check != "api" else "\0")
    page.route("**/health", name_none)
    expect(page.get_by_test_id("check-oven_7")).to_contain_text("oven_7")
    page.get_by_role("link", name="Kembali ke awal").click()
    expect(page.get_by_label("Nama pengguna")).to_be_visible()


def name_none(route) -> None:
    answer = route.fetch()
    report = answer.json()
    report["checks"]["oven_7"] = {"status": "healthy"}
    route.fulfill(response=answer, json=report)
