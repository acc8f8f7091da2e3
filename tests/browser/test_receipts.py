"""Paid bills are found again and printed; open ones keep their place under the finger."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import look_at
from tests.browser.staff import Colleague, rupiah

pytestmark = pytest.mark.browser

SIZES = {"phone": (390, 844), "tablet": (768, 1024), "till": (1024, 600), "desk": (1280, 800)}


@pytest.fixture(scope="module")
def other(house) -> Colleague:
    return Colleague(house.url, "cashier")


@pytest.fixture(scope="module")
def paid(other):
    table = next(
        t for f in other.get("/tables")["floors"] for t in f["tables"] if not t["open_orders"]
    )
    order = other.order(7, type="dine_in", table_id=table["id"])
    other.pay(order, "cash", amount=order["cash_due"], tendered=order["cash_due"] + 50_000)
    return {**other.read(order), "table": table["name"]}


@pytest.mark.deep
def test_f12_a_paid_bill_is_found_by_number_table_and_sum(till: Page, paid) -> None:
    till.get_by_role("link", name="Struk").click()
    search = till.get_by_label("Cari tagihan")
    mine = till.get_by_role("main").get_by_role("link").filter(has_text=f"No. {paid['number']}")
    for wanted in (str(paid["number"]), paid["table"], str(paid["total"])):
        search.fill(wanted)
        expect(mine.first).to_contain_text(f"Meja {paid['table']}")
    search.fill("99999999")
    expect(till.get_by_text("Tidak ada yang cocok")).to_be_visible()


@pytest.mark.deep
def test_on_a_phone_day_and_search_are_as_wide_as_the_page(till: Page) -> None:
    till.set_viewport_size({"width": 390, "height": 844})
    till.get_by_role("link", name="Struk").click()
    day = till.get_by_role("button", name="Tanggal usaha").bounding_box()
    search = till.get_by_label("Cari tagihan").bounding_box()
    assert day is not None
    assert search is not None
    assert (day["x"], day["width"]) == (search["x"], search["width"]) == (16, 358)


def test_f12_a_receipt_prints_on_80_mm_in_either_language_and_its_copy_says_salinan(
    till: Page, paid
) -> None:
    till.goto(f"/orders/{paid['id']}/receipt")
    # In braces: an expression that is a function would be called as well.
    till.evaluate("{ window.print = () => document.body.append(document.createElement('hr')); 0 }")
    prints = till.locator("body > hr")
    expect(prints).to_have_count(0)
    paper = till.get_by_role("article")
    assert rupiah(paper.get_by_test_id("receipt-total").inner_text()) == paid["total"]
    assert rupiah(paper.get_by_test_id("receipt-change").inner_text()) == 50_000
    expect(paper).to_contain_text("Steak Kenangan")
    expect(paper).to_contain_text("PB1 10%")
    till.get_by_role("button", name="Cetak", exact=True).click()
    expect(prints).to_have_count(1)
    expect(paper.get_by_test_id("copy")).to_have_count(0)
    till.emulate_media(media="print")
    expect(till.get_by_role("navigation")).to_be_hidden()
    expect(paper).to_have_css("width", re.compile(r"^272\.\d+px$"))  # 72 mm
    till.emulate_media(media="screen")
    till.get_by_role("button", name="Cetak ulang").click()
    expect(prints).to_have_count(2)
    expect(paper.get_by_test_id("copy")).to_have_text("SALINAN")
    expect(paper).to_contain_text("Air Mineral")
    till.get_by_role("button", name="English").click()
    for words in ("7 Mineral Water", "Service charge 5%", "SALINAN · COPY", "Cash", "Thank you"):
        expect(paper).to_contain_text(words)


def test_a_receipt_has_the_day_and_the_rates_of_the_sale(till: Page, paid) -> None:
    """Of an order of two days before, paid after midnight; the tax is another by now."""

    def of_before(route) -> None:
        body = route.fetch().json()
        body["order"] |= {"business_date": "2026-01-31", "tax_rate": 1100}
        body["payments"][-1] |= {"business_date": "2026-02-01", "at": "2026-02-01T18:30:00Z"}
        route.fulfill(json=body)

    till.route("**/api/v1/orders/*/receipt", of_before)
    till.goto(f"/orders/{paid['id']}/receipt")
    paper = till.get_by_role("article")
    expect(paper).to_contain_text("2 Feb 01:30")
    expect(paper).to_contain_text("PB1 11%")
    till.unroute_all(behavior="ignoreErrors")


@pytest.mark.deep
def test_f12_the_bill_of_an_open_order_says_that_it_is_not_paid(till: Page, other) -> None:
    order = other.order()
    till.goto(f"/orders/{order['id']}/pay")
    till.get_by_role("link", name="Tagihan sementara").click()
    expect(till.get_by_role("article")).to_contain_text("BELUM DIBAYAR")


def cards(page: Page):
    return page.get_by_role("main").get_by_role("listitem")


@pytest.mark.deep
def test_f30_open_orders_do_not_move_under_the_finger(till: Page, other) -> None:
    mine = [other.order() for _ in range(3)]
    till.get_by_role("link", name="Pesanan terbuka").click()
    place = till.get_by_role("link").filter(has_text=re.compile(rf"No\. {mine[1]['number']}(?!\d)"))
    box = place.bounding_box()
    new = other.order()
    other.pay(mine[0])
    expect(cards(till).filter(has_text=re.compile(rf"No\. {new['number']}(?!\d)"))).to_be_visible(
        timeout=9_000
    )
    gone = cards(till).filter(has_text=re.compile(rf"No\. {mine[0]['number']}(?!\d)"))
    expect(gone).to_contain_text("Sudah selesai")
    assert place.bounding_box() == box
    expect(place).to_contain_text("cashier")


@pytest.mark.deep
def test_f30_open_orders_are_searched_and_keep_their_scroll_on_back(till: Page, other) -> None:
    last = [other.order() for _ in range(14)][-1]
    till.set_viewport_size({"width": 820, "height": 700})
    till.get_by_role("link", name="Pesanan terbuka").click()
    card = till.get_by_role("link").filter(has_text=re.compile(rf"No\. {last['number']}(?!\d)"))
    card.scroll_into_view_if_needed()
    scrolled = till.evaluate("document.querySelector('main').scrollTop")
    assert scrolled > 0
    card.click()
    till.get_by_test_id("due").wait_for()
    till.go_back()
    card.wait_for()
    assert till.evaluate("document.querySelector('main').scrollTop") == scrolled
    till.get_by_label("Cari pesanan").fill(str(last["number"]))
    expect(card).to_be_visible()
    till.get_by_label("Cari pesanan").fill("tidak ada meja ini")
    expect(till.get_by_text("Tidak ada yang cocok")).to_be_visible()


@pytest.mark.deep
def test_f30_an_order_of_another_business_day_says_which(till: Page, other) -> None:
    order = other.order()

    def yesterday(route) -> None:
        body = route.fetch().json()
        for one in body["orders"]:
            if one["id"] == order["id"]:
                one["business_date"] = "2026-01-31"
        route.fulfill(json=body)

    till.route("**/api/v1/orders?**", yesterday)
    till.goto("/orders")
    card = cards(till).filter(has=till.get_by_text(f"No. {order['number']}", exact=True))
    expect(card).to_contain_text("31 Jan")
    till.unroute_all(behavior="ignoreErrors")


@pytest.mark.deep
def test_paid_bills_and_receipts_fit_every_screen(till: Page, paid) -> None:
    for path, there in (
        ("/orders/paid", till.get_by_role("link").filter(has_text=f"No. {paid['number']}").first),
        (f"/orders/{paid['id']}/receipt", till.get_by_role("article")),
        ("/orders", cards(till).first),
    ):
        till.goto(path)
        there.wait_for()
        for size, (width, height) in SIZES.items():
            till.set_viewport_size({"width": width, "height": height})
            look_at(till, f"{path} on a {size}")
