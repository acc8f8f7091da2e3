"""The pay page says what is so: of this bill, of an answer, of what other tills have done."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import look_at
from tests.browser.staff import Colleague, come_in, rupiah
from tests.browser.taps import tap_twice
from tests.browser.test_sell import write_takeaway

pytestmark = pytest.mark.browser

SIZES = {"phone": (390, 844), "tablet": (768, 1024), "till": (1024, 600), "desk": (1280, 800)}


@pytest.fixture(scope="module")
def other(house) -> Colleague:
    return Colleague(house.url, "cashier")


def open_bill(page: Page, order) -> Page:
    page.goto(f"/orders/{order['id']}/pay")
    page.get_by_test_id("due").wait_for()
    return page


def test_f1_an_unpaid_bill_is_never_shown_as_paid_with_the_change_of_another(till, other) -> None:
    first, second = other.order(), other.order(2)
    open_bill(till, first)
    till.evaluate("id => history.pushState(null, '', `/orders/${id}/pay`)", second["id"])
    till.go_back()
    till.go_forward()
    expect(till.get_by_role("heading", name=f"Pesanan {second['number']}")).to_be_visible()
    till.keyboard.type("100000")
    till.keyboard.press("Enter")
    till.get_by_test_id("change-due").wait_for()
    till.go_back()
    expect(till.get_by_role("heading", name=f"Pesanan {first['number']}")).to_be_visible()
    expect(till.get_by_test_id("due")).to_be_visible()
    expect(till.get_by_text("Lunas", exact=True)).to_have_count(0)
    expect(till.get_by_test_id("tendered")).to_have_text(re.compile(r"Rp\s0"))


def test_f2_a_refused_payment_is_no_success_and_says_who_paid_how_and_when(till, other) -> None:
    order = other.order()
    till.route(f"**/orders/{order['id']}", lambda route: route.continue_())
    open_bill(till, order)
    till.keyboard.type("100000")
    other.pay(order)
    till.keyboard.press("Enter")
    told = till.get_by_role("alert")
    expect(told).to_contain_text("Tidak diterima: sudah dibayar")
    expect(told).to_contain_text(re.compile(r"Kembalikan Rp\s100\.000"))
    expect(told.get_by_role("listitem")).to_contain_text(
        re.compile(r"QRIS\d\d:\d\d · oleh cashier")
    )
    expect(till.get_by_text("Lunas", exact=True)).to_have_count(0)
    expect(till.get_by_test_id("change-due")).to_have_count(0)


@pytest.mark.deep
def test_f2_a_bill_that_another_till_pays_says_so_within_seconds(till, other) -> None:
    order = other.order()
    open_bill(till, order)
    other.pay(order)
    expect(till.get_by_role("heading", name="Pesanan ini sudah lunas")).to_be_visible(timeout=9_000)
    expect(till.get_by_role("button", name="Terima tunai")).to_have_count(0)


@pytest.mark.deep
def test_f9_a_table_that_another_till_has_taken_shows_so_within_seconds(till, other) -> None:
    floors = other.get("/tables")["floors"]
    free = next(t for f in floors for t in f["tables"] if not t["open_orders"])
    till.get_by_role("button", name="Pilih meja").click()
    table = till.get_by_role("dialog").get_by_role("button", name=re.compile(rf"^{free['name']}\b"))
    expect(table).not_to_contain_text("Terisi")
    order = other.order(type="dine_in", table_id=free["id"])
    expect(table).to_contain_text("Terisi")
    other.pay(order)
    expect(table).not_to_contain_text("Terisi")


@pytest.mark.parametrize(
    "gap",
    [pytest.param(80, marks=pytest.mark.deep), 250, pytest.param(600, marks=pytest.mark.deep)],
)
def test_f3_a_second_tap_on_qris_does_not_skip_the_word_that_it_is_paid(till, other, gap) -> None:
    order = other.order()
    open_bill(till, order).get_by_text("QRIS", exact=True).click()
    tap_twice(till.get_by_role("button", name="QRIS sudah diterima"), gap, "Lunas", "Enter")
    assert "/pay" in till.url
    expect(till.get_by_text("Lunas", exact=True)).to_be_visible()
    till.get_by_role("link", name="Pesanan berikutnya").click()
    expect(till).to_have_url(re.compile("/order$"))


@pytest.mark.deep
def test_f5_the_first_key_replaces_a_proposed_amount(till, other) -> None:
    open_bill(till, other.order())
    till.get_by_role("button", name="Uang pas").click()
    till.get_by_role("button", name="5", exact=True).click()
    expect(till.get_by_test_id("tendered")).to_have_text(re.compile(r"Rp\s5$"))
    till.keyboard.type("0000")
    expect(till.get_by_test_id("tendered")).to_have_text(re.compile(r"Rp\s50\.000$"))


@pytest.mark.deep
def test_f6_enter_takes_the_money_whichever_button_was_pressed_last(till, other) -> None:
    open_bill(till, other.order())
    till.get_by_role("button", name="2", exact=True).click()
    till.get_by_role("button", name="Uang pas").click()
    till.keyboard.press("Enter")
    expect(till.get_by_text("Lunas", exact=True)).to_be_visible()


@pytest.mark.deep
def test_f7_a_sum_that_no_till_gives_back_is_refused_in_own_words(till, other) -> None:
    order = other.order()
    open_bill(till, order)
    till.keyboard.type("999999900")
    till.keyboard.press("Enter")
    expect(till.get_by_role("alert")).to_contain_text(re.compile("kembalian paling banyak Rp"))
    assert other.read(order)["paid"] == 0


def test_f7_an_exact_sum_with_one_nought_too_many_is_asked_back(till, other) -> None:
    order = other.order(20)
    open_bill(till, order)
    till.keyboard.type(f"{order['cash_due']}0")
    till.keyboard.press("Enter")
    expect(till.get_by_role("alert")).to_contain_text("Benar diterima")
    assert other.read(order)["paid"] == 0


@pytest.mark.deep
def test_f15_success_waits_for_no_further_request(till) -> None:
    def only_acts(route) -> None:
        if route.request.method != "GET":
            route.continue_()  # whatever is read is never answered

    write_takeaway(till)
    till.route(re.compile(r"/api/v1/(orders|tables)($|/\d+$|\?)"), only_acts)
    till.get_by_role("button", name="Kirim pesanan").click()
    expect(till.get_by_test_id("order-number")).to_be_visible(timeout=7_000)
    till.unroute_all(behavior="ignoreErrors")
    till.get_by_role("link", name="Bayar sekarang").click()
    till.get_by_test_id("due").wait_for()
    till.route(re.compile(r"/api/v1/(orders|tables)($|/\d+$|\?)"), only_acts)
    till.keyboard.type("50000")
    till.keyboard.press("Enter")
    expect(till.get_by_test_id("change-due")).to_be_visible(timeout=7_000)


@pytest.mark.deep
def test_f41_f44_another_tender_has_its_key_clears_what_was_said_and_is_kept_on_reload(
    till, other
) -> None:
    open_bill(till, other.order())
    till.keyboard.type("900000")
    till.keyboard.press("Enter")
    till.get_by_role("alert").wait_for()
    till.keyboard.press("F7")
    expect(till.get_by_role("alert")).to_have_count(0)
    expect(till.get_by_role("radio", name="QRIS")).to_be_checked()
    till.keyboard.press("F10")
    till.keyboard.type("5000")
    till.reload()
    expect(till.get_by_role("radio", name="Kartu")).to_be_checked()
    expect(till.get_by_test_id("tendered")).to_have_text(re.compile(r"Rp\s5\.000$"))
    till.keyboard.press("F6")
    expect(till.get_by_test_id("tendered")).to_have_text(re.compile(r"Rp\s0$"))
    open_bill(till, other.order())  # of another order nothing is typed yet
    expect(till.get_by_test_id("tendered")).to_have_text(re.compile(r"Rp\s0$"))


def test_i11_one_bill_by_cash_card_and_qris_with_the_rest_in_large_and_the_change_at_the_end(
    till, other
) -> None:
    order = other.order(10)
    open_bill(till, order)
    till.keyboard.type("50000")
    till.keyboard.press("Enter")  # to the button that takes a part, which takes its own Enter
    till.keyboard.press("Enter")
    parts = till.get_by_role("list", name="Yang sudah dibayar").get_by_role("listitem")
    expect(parts).to_have_count(1)
    till.keyboard.press("k")
    till.keyboard.type("30000")
    till.get_by_role("button", name=re.compile(r"Terima sebagian Rp\s30\.000")).click()
    expect(parts).to_have_count(2)
    expect(till.get_by_test_id("due")).to_have_text(
        re.compile(f"{order['due'] - 80_000:,}".replace(",", r"\."))
    )
    till.keyboard.press("t")
    till.keyboard.type("100000")
    rest = rupiah(till.get_by_test_id("due").inner_text())
    till.keyboard.press("Enter")
    assert rupiah(till.get_by_test_id("change-due").inner_text()) == 100_000 - rest
    paid = other.get(f"/orders/{order['id']}/payments")["payments"]
    assert [one["method"] for one in paid] == ["cash", "card", "cash"]


@pytest.mark.deep
def test_i11_a_part_is_undone_with_a_managers_word_in_place(till, other) -> None:
    order = other.order(10)
    other.pay(order, amount=40_000)
    open_bill(till, order)
    till.get_by_role("button", name=re.compile("^Batalkan QRIS")).click()
    sheet = till.get_by_role("dialog")
    sheet.get_by_role("button", name="Salah tekan").click()
    sheet.get_by_role("button", name="Batalkan", exact=True).click()
    approval = sheet.get_by_role("group", name="Persetujuan manajer")
    approval.get_by_label("Nama pengguna").fill("manager")
    approval.get_by_label("Kata sandi", exact=True).fill("wrong-password")
    sheet.get_by_role("button", name="Batalkan", exact=True).click()
    expect(sheet.get_by_role("alert")).to_contain_text("Kata sandi salah")
    approval.get_by_label("Kata sandi", exact=True).fill("manager-demo")
    sheet.get_by_role("button", name="Batalkan", exact=True).click()
    expect(sheet).to_have_count(0)
    expect(till.get_by_test_id("due")).to_have_text(
        re.compile(f"{order['cash_due']:,}".replace(",", r"\."))
    )
    assert other.read(order)["paid"] == 0


@pytest.mark.deep
def test_i11_a_line_and_then_the_order_are_cancelled_by_a_manager(page: Page, other) -> None:
    line = {"product_id": other.products["Air Mineral"]["id"], "quantity": 1}
    body = {"type": "takeaway", "lines": [line, {**line, "quantity": 3, "note": "es"}]}
    order = other.send("POST", "/orders", body)
    come_in(page, "manager", f"/orders/{order['id']}/pay")
    page.get_by_role("button", name="Batalkan Air Mineral").first.click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("button", name="Salah pesan").click()
    sheet.get_by_role("button", name="Batalkan baris").click()
    expect(page.get_by_text("Dibatalkan: Salah pesan (manager)")).to_be_visible()
    page.get_by_role("button", name="Batalkan pesanan").click()
    sheet.get_by_label("Alasan").fill("tamu pergi")
    sheet.get_by_role("button", name="Batalkan pesanan").click()
    expect(page.get_by_role("heading", name="Pesanan ini sudah dibatalkan")).to_be_visible()
    assert other.read(order)["status"] == "voided"


@pytest.mark.deep
def test_the_pay_page_fits_with_its_last_button_in_view(till: Page, other) -> None:
    order = other.order(10)
    other.pay(order, amount=40_000)
    open_bill(till, order)
    till.get_by_role("list", name="Yang sudah dibayar").wait_for()
    # What is missing is no change.
    expect(till.get_by_test_id("change")).to_contain_text("Kurang")
    till.keyboard.type("200000")
    for size, (width, height) in SIZES.items():
        till.set_viewport_size({"width": width, "height": height})
        look_at(till, f"the payment on a {size}")
        if size != "phone":
            expect(till.get_by_role("button", name="Terima tunai")).to_be_in_viewport(ratio=1)


@pytest.mark.deep
def test_nobody_waits_for_a_server_that_does_not_answer(till: Page, other) -> None:
    order = other.order()
    open_bill(till, order)
    requests = []
    till.route("**/payments", lambda route: requests.append(route))  # and never answers
    till.keyboard.type("50000")
    till.keyboard.press("Enter")
    expect(till.get_by_text("belum dijawab server")).to_be_visible(timeout=12_000)
    assert len(requests) >= 1


@pytest.mark.deep
def test_f34_a_bill_is_in_the_language_of_the_screen(till: Page, other) -> None:
    order = other.order()
    till.get_by_role("button", name="English").click()
    open_bill(till, order)
    expect(till.get_by_role("main").get_by_text("Mineral Water")).to_be_visible()
    expect(till.get_by_text("Air Mineral")).to_have_count(0)
