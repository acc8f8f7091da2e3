"""Selling at a table, in a real browser against the real server."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from healthkit.testing import wait_until
from tests.browser.network import Network, is_replay, lost
from tests.browser.storage import await_kept

pytestmark = pytest.mark.browser

WATER = "Air Mineral"


def bill(page: Page):
    return page.get_by_role("list", name="Tagihan").get_by_role("listitem")


def tap(page: Page, product: str) -> None:
    """Finds a product and adds it, as fast as people do it: /, its name, Enter."""
    page.keyboard.press("/")
    page.keyboard.type(product)
    expect(page.get_by_role("tabpanel").get_by_role("button")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Cari menu")).to_have_value("")


def write_takeaway(page: Page) -> None:
    page.get_by_role("radiogroup").get_by_text("Bawa pulang").click()
    tap(page, WATER)
    expect(bill(page)).to_have_count(1)
    expect(page.get_by_test_id("total")).to_contain_text("Rp")


def rupiah(text: str | None) -> int:
    return int(re.sub(r"\D", "", text or ""))


def test_a_dinner_from_sign_in_to_the_change_in_the_guests_hand(till: Page, house) -> None:
    till.get_by_role("button", name="Pilih meja").click()
    till.get_by_role("dialog").get_by_role("button", name=re.compile(r"^A4\b")).click()
    till.get_by_role("button", name="Sirloin Lokal").click()
    sheet = till.get_by_role("dialog")
    expect(sheet.get_by_role("button", name="Pilih dulu")).to_be_disabled()
    sheet.get_by_role("radio", name="200 g").click()
    sheet.get_by_role("radio", name="Medium Rare").click()
    sheet.get_by_role("checkbox", name="Kentang Tumbuk").click()
    sheet.get_by_role("checkbox", name="Saus Jamur").click()
    sheet.get_by_label("Catatan untuk dapur").fill("tanpa garam")
    sheet.get_by_role("button", name="Tambah ke tagihan").click()
    tap(till, WATER)
    till.get_by_role("button", name=f"Tambah satu {WATER}").click()

    expect(bill(till)).to_have_count(2)
    expect(bill(till).first).to_contain_text("200 g · Medium Rare, Kentang Tumbuk, Saus Jamur")
    expect(bill(till).first).to_contain_text("tanpa garam")
    expect(till.get_by_test_id("total")).to_contain_text("Rp")
    till.get_by_role("button", name="Kirim pesanan").click()
    number = till.get_by_test_id("order-number").inner_text()
    till.get_by_role("link", name="Bayar sekarang").click()

    [order] = [one for one in house.orders() if str(one["number"]) == number]
    due = rupiah(till.get_by_test_id("due").text_content())
    assert due % 100 == 0
    assert abs(due - order["due"]) < 100
    expect(till.get_by_role("button", name="Terima tunai")).to_be_disabled()
    till.keyboard.type("500000")
    expect(till.get_by_test_id("tendered")).to_have_text(re.compile(r"500\.000"))
    till.get_by_role("button", name="Terima tunai").click()
    expect(till.get_by_text("Lunas", exact=True)).to_be_visible()
    assert rupiah(till.get_by_test_id("change-due").text_content()) == 500_000 - due
    assert rupiah(till.get_by_test_id("paid").text_content()) == due
    assert order["id"] in [one["id"] for one in house.orders("paid")]
    till.get_by_role("link", name="Pesanan berikutnya").click()
    expect(till.get_by_text("Belum ada pesanan")).to_be_visible()


@pytest.mark.deep
def test_an_open_order_is_found_again_and_paid_by_qris(till: Page, house) -> None:
    write_takeaway(till)
    till.get_by_role("button", name="Kirim pesanan").click()
    number = till.get_by_test_id("order-number").inner_text()
    till.get_by_role("button", name="Pesanan baru").click()
    till.get_by_role("link", name="Terbuka").click()
    till.get_by_role("link").filter(has_text=f"No. {number}").click()
    till.get_by_text("QRIS", exact=True).click()
    till.get_by_role("button", name="QRIS sudah diterima").click()
    expect(till.get_by_text("Lunas", exact=True)).to_be_visible()
    assert number not in [str(one["number"]) for one in house.orders()]


def test_a_double_tap_on_send_makes_one_order(till: Page, house) -> None:
    before = len(house.orders())
    write_takeaway(till)
    send = till.get_by_role("button", name="Kirim pesanan")
    send.evaluate("button => { button.click(); button.click(); }")
    till.get_by_test_id("order-number").wait_for()
    assert len(house.orders()) == before + 1


def test_two_tabs_that_send_the_same_order_make_one(till: Page, house) -> None:
    before = len(house.orders())
    write_takeaway(till)
    other = till.context.new_page()
    other.goto("/order")
    expect(bill(other)).to_have_count(1)
    # Found before the first tap, which changes what both tabs show.
    buttons = [tab.get_by_role("button", name="Kirim pesanan") for tab in (till, other)]
    for button in [button.element_handle() for button in buttons]:
        button.evaluate("button => button.click()")
    for tab in (till, other):
        expect(bill(tab)).to_have_count(0)
    assert len(house.orders()) == before + 1


def test_an_order_whose_answer_was_lost_is_not_made_twice(till: Page, house) -> None:
    before = len(house.orders())
    write_takeaway(till)
    network = Network(till, "**/api/v1/orders", lost)
    till.get_by_role("button", name="Kirim pesanan").click()
    expect(till.get_by_text("belum dijawab server")).to_be_visible()
    expect(till.get_by_role("button", name=f"Tambah satu {WATER}")).to_be_disabled()
    assert len(house.orders()) == before + 1

    network.comes_back()
    till.reload()
    till.get_by_test_id("order-number").wait_for()
    assert len(house.orders()) == before + 1


@pytest.mark.deep
def test_a_payment_whose_answer_was_lost_is_taken_once_and_still_tells_the_change(
    till: Page, house
) -> None:
    write_takeaway(till)
    till.get_by_role("button", name="Kirim pesanan").click()
    till.get_by_role("link", name="Bayar sekarang").click()
    due = rupiah(till.get_by_test_id("due").text_content())
    network = Network(till, "**/payments", lost)
    till.keyboard.type("100000")
    till.keyboard.press("Enter")
    expect(till.get_by_text("belum dijawab server")).to_be_visible()
    expect(till.get_by_role("button", name="Terima tunai")).to_be_disabled()

    with till.expect_response(is_replay):  # by itself, under the same key
        network.comes_back()
    till.get_by_test_id("change-due").wait_for()
    till.reload()
    assert rupiah(till.get_by_test_id("change-due").text_content()) == 100_000 - due
    order_id = till.url.split("/")[-2]
    [paid] = [one for one in house.orders("paid") if str(one["id"]) == order_id]
    assert paid["due"] == 0


def test_a_reload_while_writing_keeps_every_line(till: Page) -> None:
    write_takeaway(till)
    till.get_by_role("button", name=f"Catatan untuk {WATER}").click()
    till.get_by_role("dialog").get_by_role("textbox").fill("tanpa es")
    till.get_by_role("button", name="Simpan").click()
    expect(bill(till)).to_contain_text("tanpa es")
    await_kept(till)
    till.reload()
    expect(bill(till)).to_contain_text(WATER)
    expect(bill(till)).to_contain_text("tanpa es")
    expect(till.get_by_role("radio", name="Bawa pulang")).to_be_checked()


@pytest.mark.deep
def test_what_is_sold_out_says_so_and_cannot_be_tapped(till: Page, house) -> None:
    tile = till.get_by_role("button", name="Ribeye Australia")

    def says_so() -> bool:
        till.reload()
        return "Habis" in tile.inner_text()

    house.set_available("Ribeye Australia", False)
    try:
        wait_until(says_so, 60)
        expect(tile).to_be_disabled()
    finally:
        house.set_available("Ribeye Australia", True)


@pytest.mark.deep
def test_the_keyboard_alone_writes_an_order_one_product_after_the_other(till: Page) -> None:
    for product in (WATER, "Kentang Truffle"):
        tap(till, product)
    till.get_by_role("tab", name="Minuman").click()
    tile = till.get_by_role("tabpanel").get_by_role("button", name=WATER)
    number = tile.inner_text().split()[-1]
    till.keyboard.press("Escape")
    till.keyboard.type(number)  # as it stands on its tile
    expect(till.get_by_role("tabpanel").get_by_role("button")).to_have_count(1)
    till.keyboard.press("Enter")
    expect(bill(till)).to_have_count(2)
    expect(bill(till).filter(has_text=WATER).get_by_role("status")).to_have_text("2")


def test_a_line_is_removed_by_its_last_minus(till: Page) -> None:
    write_takeaway(till)
    till.get_by_role("button", name=f"Hapus {WATER}").click()
    expect(till.get_by_text("Belum ada pesanan")).to_be_visible()
    expect(till.get_by_role("button", name="Kirim pesanan")).to_be_disabled()


@pytest.mark.deep
def test_a_table_is_asked_for_before_a_dine_in_order_goes_out(till: Page) -> None:
    tap(till, WATER)
    expect(bill(till)).to_have_count(1)
    till.get_by_role("button", name="Kirim pesanan").click()
    expect(till.get_by_role("dialog", name="Meja mana?")).to_be_visible()


def test_a_price_that_has_changed_is_shown_beside_the_old_one_and_asked(till: Page, house) -> None:
    write_takeaway(till)
    told = rupiah(till.get_by_test_id("total").text_content())
    before = len(house.orders())
    house.raise_price(WATER, 1000)
    try:
        till.get_by_role("button", name="Kirim pesanan").click()
        note = till.get_by_role("alert").filter(has_text="Harga sudah berubah")
        expect(note).to_contain_text(f"{told:,}".replace(",", "."))
        assert len(house.orders()) == before
        note.get_by_role("button", name=re.compile("^Lanjut dengan")).click()
        expect(till.get_by_test_id("order-number")).to_be_visible()
        assert len(house.orders()) == before + 1
    finally:
        house.raise_price(WATER, -1000)


@pytest.mark.deep
def test_cash_far_above_the_bill_is_asked_back(till: Page, house) -> None:
    write_takeaway(till)
    till.get_by_role("button", name="Kirim pesanan").click()
    till.get_by_role("link", name="Bayar sekarang").click()
    due = rupiah(till.get_by_test_id("due").text_content())
    till.keyboard.type("900000")
    till.get_by_role("button", name="Terima tunai").click()
    note = till.get_by_role("alert").filter(has_text="Benar diterima")
    note.get_by_role("button", name=re.compile("^Ya,")).click()
    expect(till.get_by_text("Lunas", exact=True)).to_be_visible()
    assert rupiah(till.get_by_test_id("change-due").text_content()) == 900_000 - due
