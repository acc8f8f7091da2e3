"""What a tap on the order screen means: at human pace, with what other tills do meanwhile."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.network import Network, refused
from tests.browser.storage import await_kept, held_storage
from tests.browser.taps import tap_twice
from tests.browser.test_sell import WATER, bill, rupiah, tap, write_takeaway

pytestmark = pytest.mark.browser

STEAK = "Sirloin Lokal"


def open_steak(page: Page):
    page.get_by_role("tabpanel").get_by_role("button", name=STEAK).click()
    return page.get_by_role("dialog", name=STEAK)


def choose(sheet, name: str = "Medium Rare") -> None:
    sheet.get_by_role("radio", name=name, exact=True).click()
    sheet.get_by_role("checkbox", name="Kentang Tumbuk").click()
    sheet.get_by_role("checkbox", name="Saus Jamur").click()


@pytest.mark.parametrize(
    "pause",
    [pytest.param(80, marks=pytest.mark.deep), 250, pytest.param(600, marks=pytest.mark.deep)],
)
def test_a_second_tap_on_send_does_not_wipe_the_confirmation(till: Page, pause: int) -> None:
    write_takeaway(till)
    tap_twice(till.get_by_role("button", name="Kirim pesanan"), pause)
    number = till.get_by_test_id("order-number")
    number.wait_for()
    till.wait_for_timeout(100)
    expect(number).to_be_visible()


@pytest.mark.deep
def test_the_order_that_was_sent_last_stays_in_sight_with_its_table(till: Page) -> None:
    till.get_by_role("button", name="Pilih meja").click()
    tables = till.get_by_role("dialog").get_by_role("button")
    tables.filter(has_text="kursi").filter(has_not_text="Terisi").first.click()
    table = till.get_by_role("button", name=re.compile("^Meja ")).inner_text()
    tap(till, WATER)
    till.get_by_role("button", name="Kirim pesanan").click()
    number = till.get_by_test_id("order-number").inner_text()
    expect(till.get_by_test_id("sent-where")).to_have_text(table)
    till.get_by_role("button", name="Pesanan baru").click()
    till.reload()
    till.get_by_role("tab", name="Steak").wait_for()
    tap(till, WATER)
    strip = till.get_by_test_id("last-sent")
    expect(strip).to_contain_text(f"No. {number}")
    expect(strip).to_contain_text(table)
    strip.click()
    expect(till.get_by_role("heading", name=f"Pesanan {number}")).to_be_visible()


@pytest.mark.parametrize(
    "pause", [80, *(pytest.param(one, marks=pytest.mark.deep) for one in (200, 350))]
)
def test_a_double_tap_on_a_dish_chooses_nothing_for_the_guest(till: Page, pause: int) -> None:
    tap_twice(till.get_by_role("button", name=STEAK).first, pause)
    sheet = till.get_by_role("dialog", name=STEAK)
    expect(sheet.get_by_role("radio", checked=True)).to_have_count(1)
    expect(sheet.get_by_role("radio", name="150 g")).to_be_checked()
    expect(sheet.get_by_role("checkbox", checked=True)).to_have_count(0)


@pytest.mark.deep
def test_emptying_the_bill_and_removing_a_line_can_be_undone(till: Page) -> None:
    write_takeaway(till)
    tap(till, "Kentang Truffle")
    before = bill(till).all_inner_texts()
    till.get_by_role("button", name=f"Hapus {WATER}").click()
    expect(bill(till)).to_have_count(1)
    till.get_by_role("button", name="Kosongkan").click()
    expect(till.get_by_text("Belum ada pesanan")).to_be_visible()
    till.get_by_role("button", name="Urungkan").click()
    expect(bill(till)).to_have_count(1)
    till.get_by_role("button", name="Urungkan").click()
    expect(bill(till)).to_have_count(2)
    expect(bill(till).first).to_contain_text(before[0].split("\n")[0])


def test_a_double_tap_on_the_bin_does_not_take_the_next_line_too(till: Page) -> None:
    write_takeaway(till)
    tap(till, "Kentang Truffle")
    tap_twice(till.get_by_role("button", name=f"Hapus {WATER}"), 200)
    expect(bill(till)).to_have_count(1)
    expect(bill(till)).to_contain_text("Kentang Truffle")


@pytest.mark.deep
def test_a_sheet_keeps_what_was_chosen_while_other_screens_are_still_being_fetched(
    till: Page,
) -> None:
    Network(till, "**/assets/ReceiptsPage-*.js", refused)
    till.reload()
    choose(open_steak(till))
    till.keyboard.press("Escape")
    expect(till.get_by_role("dialog")).to_have_count(0)
    again = open_steak(till)
    expect(again.get_by_role("radio", name="Medium Rare", exact=True)).to_be_checked()


@pytest.mark.parametrize(
    "closing",
    [
        "back",
        pytest.param("escape", marks=pytest.mark.deep),
        pytest.param("beside", marks=pytest.mark.deep),
    ],
)
def test_a_sheet_that_is_closed_keeps_what_was_chosen(till: Page, closing: str) -> None:
    sheet = open_steak(till)
    choose(sheet)
    sheet.get_by_label("Catatan untuk dapur").fill("alergi kacang")
    if closing == "back":
        till.go_back()
    elif closing == "escape":
        till.keyboard.press("Escape")
    else:
        till.mouse.click(4, 4)
    expect(till.get_by_role("dialog")).to_have_count(0)
    assert till.url.endswith("/order")
    again = open_steak(till)
    expect(again.get_by_role("radio", name="Medium Rare", exact=True)).to_be_checked()
    expect(again.get_by_role("checkbox", name="Kentang Tumbuk")).to_be_checked()
    expect(again.get_by_label("Catatan untuk dapur")).to_have_value("alergi kacang")
    again.get_by_role("button", name="Tambah ke tagihan").click()
    fresh = open_steak(till)
    expect(fresh.get_by_role("radio", checked=True)).to_have_count(1)


@pytest.mark.deep
def test_back_closes_the_tables_and_the_note_and_then_leaves_the_page(till: Page) -> None:
    till.get_by_role("link", name="Terbuka").click()
    # A link to the page that is still shown takes that page's place in the history.
    expect(till.get_by_role("heading", name="Pesanan terbuka")).to_be_visible()
    till.get_by_role("link", name="Pesan", exact=True).click()
    write_takeaway(till)
    till.get_by_role("button", name=f"Catatan untuk {WATER}").click()
    till.get_by_role("dialog").get_by_role("textbox").fill("tanpa es")
    till.go_back()
    expect(till.get_by_role("dialog")).to_have_count(0)
    till.get_by_role("button", name=f"Catatan untuk {WATER}").click()
    expect(till.get_by_role("dialog").get_by_role("textbox")).to_have_value("tanpa es")
    till.keyboard.press("Escape")
    expect(till.get_by_role("dialog")).to_have_count(0)
    till.evaluate("history.back()")
    expect(till).to_have_url(re.compile("/orders$"))


@pytest.mark.deep
def test_a_line_can_be_changed_and_its_quantity_typed(till: Page) -> None:
    sheet = open_steak(till)
    choose(sheet)
    sheet.get_by_role("button", name="Tambah ke tagihan").click()
    till.get_by_role("button", name=f"Ubah {STEAK}").click()
    sheet.get_by_role("radio", name="200 g").click()
    sheet.get_by_role("radio", name="Well Done").click()
    sheet.get_by_role("button", name="Simpan perubahan").click()
    expect(bill(till)).to_have_count(1)
    expect(bill(till)).to_contain_text("200 g · Well Done, Kentang Tumbuk, Saus Jamur")
    till.get_by_label(f"Jumlah {STEAK}").fill("24")
    till.keyboard.press("Enter")
    expect(bill(till).get_by_role("status")).to_have_text("24")


@pytest.mark.deep
def test_a_takeaway_is_not_kept_for_the_next_guest(till: Page) -> None:
    write_takeaway(till)
    till.get_by_role("button", name="Kirim pesanan").click()
    till.get_by_role("button", name="Pesanan baru").click()
    expect(till.get_by_role("radio", name="Makan di sini")).to_be_checked()
    tap(till, WATER)
    till.get_by_role("button", name="Kirim pesanan").click()
    expect(till.get_by_role("dialog", name="Meja mana?")).to_be_visible()


def test_taps_within_one_picture_all_count(till: Page, house) -> None:
    write_takeaway(till)
    more = till.get_by_role("button", name=f"Tambah satu {WATER}")
    more.evaluate("button => { for (let tap = 0; tap < 10; tap++) button.click(); }")
    expect(bill(till).get_by_role("status")).to_have_text("11")
    expect(till.get_by_test_id("total")).to_contain_text("Rp")
    till.evaluate(
        """name => {
            const button = (text) => [...document.querySelectorAll("aside button")]
              .find((one) => (one.ariaLabel ?? one.textContent).includes(text));
            button(`Tambah satu ${name}`).click();
            button("Kirim pesanan").click();
        }""",
        WATER,
    )
    number = till.get_by_test_id("order-number").inner_text()
    [order] = [one for one in house.orders() if str(one["number"]) == number]
    assert order["total"] == rupiah(till.get_by_test_id("total").text_content())
    assert rupiah(till.get_by_test_id("subtotal").text_content()) % 12 == 0


def test_no_stale_total_is_sent(till: Page) -> None:
    write_takeaway(till)
    stale = rupiah(till.get_by_test_id("total").text_content())
    sent: list[int] = []

    def note(route: Route) -> None:
        sent.append(route.request.post_data_json["expected_total"])
        route.continue_()

    till.route("**/api/v1/orders", note)
    till.get_by_role("button", name=f"Tambah satu {WATER}").click()
    till.get_by_role("button", name="Kirim pesanan").click()
    till.get_by_test_id("order-number").wait_for()
    assert sent == [rupiah(till.get_by_test_id("total").text_content())]
    assert sent[0] > stale


@pytest.mark.deep
def test_keys_that_are_typed_while_a_sheet_closes_are_not_lost(till: Page) -> None:
    till.get_by_role("button", name="Pilih meja").click()
    till.get_by_role("dialog").wait_for()
    till.keyboard.press("Escape")
    till.keyboard.press("/")
    till.keyboard.type("air")
    expect(till.get_by_label("Cari menu")).to_have_value("air")


@pytest.mark.deep
def test_a_reload_keeps_the_category_and_one_seat_is_not_seats(till: Page) -> None:
    till.get_by_role("tab", name="Minuman").click()
    till.reload()
    expect(till.get_by_role("tab", name="Minuman")).to_have_attribute("aria-selected", "true")
    till.get_by_role("button", name="English").click()
    assert till.evaluate("getComputedStyle(document.body).touchAction") == "manipulation"
    till.route("**/api/v1/tables", one_seat)
    till.get_by_role("button", name="Choose a table").click()
    expect(till.get_by_role("dialog").get_by_text("1 seat", exact=True)).to_be_visible()


def one_seat(route: Route) -> None:
    answer = route.fetch()
    plan = answer.json()
    plan["floors"][0]["tables"][0]["seats"] = 1
    route.fulfill(response=answer, json=plan)


@pytest.mark.deep
def test_a_table_that_another_till_has_taken_says_so_and_opens_its_order(till: Page) -> None:
    with till.expect_response("**/api/v1/tables") as answer:
        till.get_by_role("button", name="Pilih meja").click()
    floors = answer.value.json()["floors"]
    free = next(t for f in floors for t in f["tables"] if not t["open_orders"])
    table = till.get_by_role("dialog").locator(f"[data-table='{free['name']}']")
    expect(table).not_to_contain_text("Terisi")
    order = take_elsewhere(till, table_id=free["id"], type="dine_in", guests=3)
    expect(table).to_contain_text("Terisi")  # polled every five seconds
    table.click()
    busy = till.get_by_role("dialog", name=f"Meja {free['name']} terisi")
    busy.get_by_role("button", name="Tagihan kedua").wait_for()
    busy.get_by_role("link", name=f"Buka No. {order['number']}").click()
    expect(till).to_have_url(re.compile(f"/orders/{order['id']}/pay$"))


def take_elsewhere(page: Page, **fields) -> dict:
    """An order that another till takes, past this screen."""
    tokens = page.request.post(
        "/api/v1/auth/login", data={"username": "waiter", "password": "waiter-demo"}
    ).json()
    menu = page.request.get("/api/v1/public/menu").json()
    products = {one["name"]: one["id"] for c in menu["categories"] for one in c["products"]}
    answer = page.request.post(
        "/api/v1/orders",
        data={"lines": [{"product_id": products[WATER], "quantity": 1}], **fields},
        headers={
            "Authorization": f"Bearer {tokens['access_token']}",
            "Idempotency-Key": page.evaluate("crypto.randomUUID()"),
        },
    )
    assert answer.status == 201, answer.text()
    return answer.json()


def test_a_dish_is_found_by_its_name_in_either_language_and_with_a_typing_mistake(
    till: Page,
) -> None:
    till.get_by_role("button", name="English").click()
    search = till.get_by_label("Search the menu")
    search.fill("air mineral")
    expect(till.get_by_role("tabpanel").get_by_role("button")).to_have_count(1)
    search.fill("mineral wtaer")
    expect(till.get_by_role("tabpanel").get_by_role("button").first).to_contain_text("Mineral")


@pytest.mark.deep
def test_enter_on_what_cannot_be_had_keeps_the_search(till: Page) -> None:
    till.keyboard.press("/")
    till.keyboard.type("pizza quattro")
    till.keyboard.press("Enter")
    expect(till.get_by_label("Cari menu")).to_have_value("pizza quattro")


def sold_out(page: Page, product: str) -> None:
    """From now on the menu says that it is."""

    def change(route: Route) -> None:
        answer = route.fetch(headers={**route.request.headers, "if-none-match": ""})
        menu = answer.json()
        for category in menu["categories"]:
            for one in category["products"]:
                one["available"] = one["available"] and one["name"] != product
        route.fulfill(response=answer, json=menu)

    page.route("**/api/v1/public/menu*", change)


@pytest.mark.deep
def test_a_dish_that_is_sold_out_while_its_sheet_is_open_says_so(till: Page) -> None:
    sheet = open_steak(till)
    choose(sheet)
    sold_out(till, STEAK)
    expect(sheet.get_by_role("alert")).to_contain_text("sudah habis")
    expect(sheet.get_by_role("button", name="Tambah ke tagihan")).to_be_disabled()


def names_and_quantities(till: Page) -> list[tuple[str, str]]:
    """What the bill says without its sums, which are the server's and come later."""
    lines = [text.splitlines() for text in bill(till).all_inner_texts()]
    return [(line[0], line[-1]) for line in lines]


@pytest.mark.deep
def test_a_tap_is_on_the_bill_before_the_device_has_kept_it(till: Page) -> None:
    with held_storage(till):
        tap(till, WATER)
        tap(till, WATER)
        expect(bill(till)).to_have_count(1)
        expect(bill(till)).to_contain_text("2")
        till.get_by_role("button", name=f"Kurangi satu {WATER}").click()
        tap(till, "Kentang Truffle")
        expect(bill(till)).to_have_count(2)
        shown = names_and_quantities(till)
    await_kept(till)
    assert names_and_quantities(till) == shown
    till.reload()
    expect(bill(till)).to_have_text([re.compile(WATER), re.compile("Kentang Truffle")])
    expect(till.get_by_label(f"Jumlah {WATER}")).to_have_value("1")


def test_what_was_tapped_right_before_a_reload_is_on_the_bill_after_it(till: Page) -> None:
    tap(till, WATER)
    await_kept(till)
    with held_storage(till):
        tap(till, WATER)
        tap(till, "Kentang Truffle")
        expect(bill(till)).to_have_count(2)
        till.reload()
    expect(bill(till)).to_have_text([re.compile(WATER), re.compile("Kentang Truffle")])
    expect(till.get_by_label(f"Jumlah {WATER}")).to_have_value("2")
    await_kept(till)
    till.get_by_role("button", name="Kosongkan").click()
    expect(till.get_by_text("Belum ada pesanan")).to_be_visible()
    await_kept(till)
    till.reload()
    expect(till.get_by_text("Belum ada pesanan")).to_be_visible()


@pytest.mark.deep
def test_the_bill_names_the_line_that_is_sold_out_until_it_is_gone(till: Page) -> None:
    write_takeaway(till)
    total = till.get_by_test_id("total").text_content()
    tap(till, "Kentang Truffle")
    expect(bill(till)).to_have_count(2)
    sold_out(till, "Kentang Truffle")
    await_kept(till)
    till.reload()
    alert = till.get_by_role("alert").filter(has_text="Kentang Truffle")
    expect(alert).to_be_visible()
    expect(till.get_by_role("button", name="Kirim pesanan")).to_be_disabled()
    expect(till.get_by_test_id("total")).to_have_text(total or "")  # the rest keeps its sums
    till.get_by_role("button", name="Hapus Kentang Truffle").click()
    expect(till.get_by_role("alert")).to_have_count(0)
    expect(till.get_by_role("button", name="Kirim pesanan")).to_be_enabled()


@pytest.mark.deep
def test_a_refusal_goes_when_the_line_that_it_is_about_is_gone(till: Page) -> None:
    write_takeaway(till)
    tap(till, "Kentang Truffle")
    till.route(
        "**/api/v1/orders",
        lambda route: route.fulfill(status=422, json={"detail": "sold out", "status": 422}),
    )
    till.get_by_role("button", name="Kirim pesanan").click()
    expect(till.get_by_role("alert")).to_be_visible()
    till.get_by_role("button", name="Hapus Kentang Truffle").click()
    expect(till.get_by_role("alert")).to_have_count(0)


@pytest.mark.deep
def test_a_delivery_asks_who_and_where_and_a_table_how_many(till: Page, house) -> None:
    till.get_by_role("button", name="Jumlah tamu").click()
    till.get_by_role("dialog").get_by_label("Jumlah tamu").fill("4")
    till.keyboard.press("Enter")
    expect(till.get_by_role("button", name="4 tamu")).to_be_visible()
    till.get_by_text("Antar", exact=True).click()
    tap(till, WATER)
    till.get_by_role("button", name="Kirim pesanan").click()
    sheet = till.get_by_role("dialog", name="Diantar ke mana?")
    sheet.get_by_label("Nama").fill("Bu Sari")
    sheet.get_by_label("Nomor telepon").fill("telepon")
    sheet.get_by_role("button", name="Simpan").click()
    expect(sheet.get_by_text("Wajib diisi")).to_have_count(1)
    expect(sheet.get_by_text("Tulis seperti")).to_be_visible()
    sheet.get_by_label("Nomor telepon").fill("0812 3456 7890")
    sheet.get_by_label("Alamat").fill("Jl. Melati 3")
    sheet.get_by_role("button", name="Simpan").click()
    till.get_by_role("button", name="Kirim pesanan").click()
    number = till.get_by_test_id("order-number").inner_text()
    expect(till.get_by_test_id("sent-where")).to_contain_text("Bu Sari")
    [order] = [one for one in house.orders() if str(one["number"]) == number]
    assert order["customer_name"] == "Bu Sari"
    assert order["guests"] is None
