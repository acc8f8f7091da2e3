"""Nobody is left without a word: offline, waiting, an ended session, a full device, a fault."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.network import Network, lost_once, refused
from tests.browser.screens import look_at
from tests.browser.staff import Colleague, rupiah, sign_in
from tests.browser.storage import await_kept
from tests.browser.test_sell import WATER, bill, tap, write_takeaway

pytestmark = pytest.mark.browser

API = "**/api/v1/**"


@pytest.fixture(scope="module")
def other(house) -> Colleague:
    return Colleague(house.url, "manager")


def contact(page: Page):
    return page.get_by_role("status").filter(has_text="Tidak ada kontak dengan server sejak")


def owe_a_payment(till: Page, other: Colleague) -> tuple[dict, Network]:
    """A payment that the server has never received, and the network that is in its way."""
    order = other.order()
    till.goto(f"/orders/{order['id']}/pay")
    till.get_by_test_id("due").wait_for()
    network = Network(till, "**/payments", refused)
    till.keyboard.type("50000")
    till.keyboard.press("Enter")
    expect(till.get_by_text("belum dijawab server")).to_be_visible()
    return order, network


@pytest.mark.parametrize(
    "path",
    [
        "/order",
        *(pytest.param(p, marks=pytest.mark.deep) for p in ("/orders", "/orders/paid")),
        pytest.param("/app/status", marks=pytest.mark.deep),
    ],
)
def test_f13_a_lost_server_is_told_on_every_screen_with_the_time_and_its_return(
    till: Page, path: str
) -> None:
    till.goto(path)
    till.get_by_role("main").wait_for()
    till.context.set_offline(True)
    expect(contact(till)).to_contain_text(re.compile(r"sejak \d\d:\d\d"))
    till.context.set_offline(False)
    expect(contact(till)).to_have_count(0)


@pytest.mark.deep
def test_f13_a_proxy_without_a_server_behind_it_is_no_contact_and_speaks_own_words(
    till: Page,
) -> None:
    write_takeaway(till)
    page = "<html><h1>502 Bad Gateway</h1></html>"
    till.route(API, lambda route: route.fulfill(status=502, content_type="text/html", body=page))
    till.get_by_role("button", name="Kirim pesanan").click()
    expect(contact(till)).to_be_visible()
    expect(till.get_by_text(re.compile("Bad Gateway|SyntaxError|Unexpected token"))).to_have_count(
        0
    )


def test_f14_an_order_goes_out_by_itself_when_the_server_is_back(till: Page, house) -> None:
    before = len(house.orders())
    write_takeaway(till)
    network = Network(till, "**/api/v1/orders", refused)
    till.get_by_role("button", name="Kirim pesanan").click()
    expect(till.get_by_text("belum dijawab server")).to_be_visible()
    network.comes_back()
    till.get_by_test_id("order-number").wait_for()
    assert len(house.orders()) == before + 1


@pytest.mark.deep
def test_f14_the_next_order_is_written_while_one_waits_and_a_refused_one_comes_back(
    till: Page, house
) -> None:
    before = len(house.orders())
    write_takeaway(till)
    network = Network(till, "**/api/v1/orders", refused)
    till.get_by_role("button", name="Kirim pesanan").click()
    till.get_by_role("button", name="Tulis pesanan berikutnya").click()
    expect(till.get_by_text("Belum ada pesanan")).to_be_visible()
    till.get_by_role("radiogroup").get_by_text("Bawa pulang").click()
    tap(till, "Kentang Truffle")
    till.get_by_role("button", name="Kirim pesanan").click()
    expect(till.get_by_role("link", name=re.compile(r"Menunggu jawaban\s*2"))).to_be_visible()
    till.get_by_role("button", name="Tulis pesanan berikutnya").click()
    tap(till, WATER)

    def sells_no_potatoes(route: Route) -> None:
        body = route.request.post_data_json
        if "expected_total" in body and len(house.orders()) > before:
            route.fulfill(status=422, json={"status": 422, "detail": "no", "code": "sold_out"})
        else:
            route.continue_()

    network.fate = sells_no_potatoes
    note = till.get_by_role("alert").filter(has_text="ditolak server")
    expect(note).to_contain_text("Bawa pulang")
    expect(note.get_by_role("button", name="Tulis lagi")).to_be_disabled()  # another is written
    expect(bill(till)).to_have_count(1)
    assert len(house.orders()) == before + 1
    expect(till.get_by_test_id("last-sent")).to_contain_text("No.")
    till.get_by_role("button", name=f"Hapus {WATER}").click()
    note.get_by_role("button", name="Tulis lagi").click()
    expect(note).to_have_count(0)
    expect(till.get_by_role("radio", name="Bawa pulang")).to_be_checked()
    expect(bill(till)).to_have_count(1)


def test_f14_a_page_opens_with_menu_and_bill_from_the_device_while_the_server_is_away(
    till: Page,
) -> None:
    tap(till, WATER)
    expect(bill(till)).to_have_count(1)
    await_kept(till)
    Network(till, API, refused)
    till.reload()
    expect(till.get_by_role("tab", name="Steak")).to_be_visible()
    expect(bill(till)).to_contain_text(WATER)
    expect(contact(till)).to_be_visible()


def test_f16_what_waits_is_listed_and_the_server_says_what_became_of_it(till: Page, other) -> None:
    order = other.order()
    till.goto(f"/orders/{order['id']}/pay")
    till.get_by_test_id("due").wait_for()
    Network(till, "**/payments", lost_once())
    till.keyboard.type("50000")
    till.keyboard.press("Enter")
    expect(till.get_by_text("belum dijawab server")).to_be_visible()
    till.get_by_role("link", name=re.compile("Menunggu jawaban 1")).click()
    item = till.get_by_role("listitem").filter(has_text=f"No. {order['number']}")
    expect(item).to_contain_text(re.compile(r"Tunai Rp\s50\.000"))
    look_at(till, "what waits")
    item.get_by_role("button", name="Apa jadinya?").click()
    expect(till.get_by_text("Server sudah mencatatnya.")).to_be_visible()
    expect(till.get_by_role("link", name=re.compile("Menunggu jawaban"))).to_have_count(0)
    # The change that was lost with the answer is here after all.
    expect(till.get_by_text(re.compile(r"Kembalian terakhir Rp\s\d"))).to_be_visible()


@pytest.mark.deep
def test_f16_the_payment_of_another_person_is_not_booked_by_opening_the_bill(
    till: Page, other
) -> None:
    order, network = owe_a_payment(till, other)
    till.get_by_role("button", name="Keluar").click()
    network.comes_back()
    sign_in(till, "manager")
    till.goto(f"/orders/{order['id']}/pay")
    expect(till.get_by_role("button", name="Kirim lagi")).to_be_visible()
    till.goto("/orders/waiting")
    item = till.get_by_role("listitem").filter(has_text=f"No. {order['number']}")
    item.get_by_role("button", name="Apa jadinya?").click()
    expect(item).to_contain_text("Server belum menerimanya")
    assert other.read(order)["paid"] == 0
    item.get_by_role("button", name="Lepaskan").click()
    sheet = till.get_by_role("dialog")
    sheet.get_by_role("button", name="Tamu sudah pergi").click()
    sheet.get_by_role("button", name="Lepaskan", exact=True).click()
    expect(till.get_by_text("Sudah dilepas")).to_be_visible()
    till.goto(f"/orders/{order['id']}/pay")
    expect(till.get_by_role("button", name="Uang pas")).to_be_enabled()
    assert other.read(order)["paid"] == 0


def end_the_session(till: Page) -> None:
    token = till.evaluate("localStorage.getItem('kenangan.refresh')")
    till.request.post("/api/v1/auth/logout", data={"refresh_token": token})


def test_f17_an_ended_session_is_signed_in_over_the_page_and_nothing_is_lost(till: Page) -> None:
    till.get_by_role("radiogroup").get_by_text("Bawa pulang").click()
    till.get_by_role("button", name="Sirloin Lokal").click()
    sheet = till.get_by_role("dialog", name="Sirloin Lokal")
    sheet.get_by_label("Catatan untuk dapur").fill("alergi kacang")
    end_the_session(till)
    over = till.get_by_role("dialog", name="Sesi Anda sudah berakhir")
    expect(over).to_be_visible(timeout=15_000)  # at the next poll
    expect(over).to_contain_text("Tidak ada yang hilang")
    expect(over.get_by_label("Nama pengguna")).to_have_value("cashier")
    over.get_by_label("Kata sandi", exact=True).fill("cashier-demo")
    over.get_by_role("button", name="Masuk", exact=True).click()
    expect(over).to_have_count(0)
    expect(sheet.get_by_label("Catatan untuk dapur")).to_have_value("alergi kacang")


@pytest.mark.deep
def test_f18_who_comes_after_a_sign_out_begins_at_their_own_home(till: Page, other) -> None:
    till.goto(f"/orders/{other.order()['id']}/pay")
    till.get_by_role("button", name="Keluar").click()
    sign_in(till, "waiter", "/login")
    expect(till).to_have_url(re.compile("/order$"))


@pytest.mark.deep
def test_f19_a_tab_says_that_another_person_has_signed_in_elsewhere(till: Page) -> None:
    second = till.context.new_page()
    sign_in_elsewhere = """async () => {
        const body = JSON.stringify({ username: 'waiter', password: 'waiter-demo' });
        const headers = { 'Content-Type': 'application/json' };
        const answer = await fetch('/api/v1/auth/login', { method: 'POST', headers, body });
        const { refresh_token, user } = await answer.json();
        localStorage.setItem('kenangan.refresh', refresh_token);
        localStorage.setItem('kenangan.user', JSON.stringify(user));
    }"""
    second.goto("/app/status")
    second.evaluate(sign_in_elsewhere)
    told = till.get_by_role("dialog")
    expect(told).to_contain_text("yang bekerja di sini")
    expect(told).to_contain_text("Pelayan")
    told.get_by_role("button", name="Mengerti").click()
    expect(till.get_by_role("banner")).to_contain_text("Pelayan")


@pytest.mark.deep
def test_f31_a_screen_that_cannot_be_drawn_says_so_in_own_words_and_shows_the_way_back(
    till: Page, other
) -> None:
    order = other.order()
    broken = {**other.read(order), "lines": None}
    till.route(f"**/orders/{order['id']}", lambda route: route.fulfill(json=broken))
    till.goto(f"/orders/{order['id']}/pay")
    told = till.get_by_role("alert")
    expect(told).to_contain_text("Layar ini gagal ditampilkan")
    expect(told.get_by_test_id("fault-id")).to_have_text(re.compile("^[0-9a-f]{32}$"))
    expect(till.get_by_text(re.compile("TypeError|Hey developer"))).to_have_count(0)
    expect(till.get_by_role("navigation")).to_be_visible()
    told.get_by_role("button", name="Ke halaman awal").click()
    expect(till.get_by_role("tab", name="Steak")).to_be_visible()


@pytest.mark.deep
def test_f31_a_fault_is_reported_to_sentry_masked_with_release_and_id(till: Page, other) -> None:
    order = other.order()
    broken = {**other.read(order), "lines": None}

    def with_dsn(route: Route) -> None:
        answer = route.fetch()
        meta = '<meta name="sentry-dsn" content="https://key@errors.example/7">'
        headers = {**answer.headers}
        headers.pop("content-security-policy", None)
        body = answer.text().replace("</head>", f"{meta}</head>")
        route.fulfill(status=200, headers=headers, body=body)

    till.route(f"**/orders/{order['id']}", lambda route: route.fulfill(json=broken))
    till.route("https://errors.example/**", lambda route: route.fulfill(status=200))
    till.route(f"**/orders/{order['id']}/pay", with_dsn)
    with till.expect_request("https://errors.example/**") as report:
        till.goto(f"/orders/{order['id']}/pay")
    shown = till.get_by_test_id("fault-id").inner_text()
    sent = report.value.post_data or ""
    assert f'"event_id":"{shown}"' in sent
    assert '"release":"steak-kenangan-pos@1.0.0"' in sent
    assert "/orders/:id/pay" in sent


@pytest.mark.deep
def test_f32_a_device_that_cannot_keep_a_tap_says_so(till: Page) -> None:
    tap(till, WATER)
    expect(bill(till)).to_have_count(1)
    till.evaluate(
        """() => {
            IDBObjectStore.prototype.put = () => {
                throw new DOMException('full', 'QuotaExceededError');
            };
        }"""
    )
    till.get_by_role("button", name=f"Tambah satu {WATER}").click()
    expect(
        till.get_by_role("status").filter(has_text="Penyimpanan perangkat ini penuh")
    ).to_be_visible()
    expect(till.get_by_label(f"Jumlah {WATER}")).to_have_value("1")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        pytest.param("/orders/abc/pay", "Tidak ditemukan", marks=pytest.mark.deep),
        ("/orders/999999/pay", "Pesanan itu tidak ada"),
    ],
)
def test_f33_no_words_of_machines_stand_on_an_indonesian_screen(till: Page, path, words) -> None:
    till.goto(path)
    expect(till.get_by_role("alert")).to_contain_text(words)
    expect(till.get_by_role("alert")).not_to_contain_text(
        re.compile("There is|requested URL|server")
    )


@pytest.mark.deep
def test_f33_a_refusal_is_said_by_its_code_in_the_language_of_the_screen(till: Page, house) -> None:
    write_takeaway(till)
    house.set_available(WATER, False)
    try:
        till.get_by_role("button", name="Kirim pesanan").click()
        expect(till.get_by_role("alert").filter(has_text=f"{WATER} sudah habis.")).to_be_visible()
        expect(till.get_by_text("is sold out")).to_have_count(0)
    finally:
        house.set_available(WATER, True)


@pytest.mark.deep
def test_f41_too_many_tries_count_down(page: Page) -> None:
    page.goto("/")
    refused = {"type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": "wait"}
    page.route(
        "**/auth/login",
        lambda route: route.fulfill(status=429, json=refused, headers={"Retry-After": "2"}),
    )
    page.get_by_role("button", name="cashier").click()
    page.get_by_role("button", name="Masuk", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("2 detik")
    expect(page.get_by_role("alert")).to_contain_text("Silakan coba lagi.")


@pytest.mark.deep
def test_f45_what_one_person_has_read_is_not_shown_to_the_next(till: Page, other) -> None:
    order = other.order()
    till.goto("/orders")
    till.get_by_role("link").filter(has_text=f"No. {order['number']} ").first.wait_for()
    end_the_session(till)
    over = till.get_by_role("dialog", name="Sesi Anda sudah berakhir")
    over.get_by_label("Nama pengguna").fill("kitchen")
    over.get_by_label("Kata sandi", exact=True).fill("kitchen-demo")
    till.route("**/api/v1/orders?**", lambda route: None)  # the kitchen's own answer never comes
    over.get_by_role("button", name="Masuk", exact=True).click()
    expect(till.get_by_role("banner")).to_contain_text("Dapur")
    expect(till.get_by_role("link").filter(has_text="No. ")).to_have_count(0)


@pytest.mark.deep
def test_a_wrong_clock_is_told_to_everybody_and_confirmed_where_the_money_is(till: Page) -> None:
    asked = []

    def behind(route: Route) -> None:
        told = {"now": "2026-01-01T00:00:00Z", "behind_seconds": 200_000, "sells": False}
        route.fulfill(json=told)

    def confirm(route: Route) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(status=201, json={})

    till.route("**/api/v1/clock", behind)
    till.route("**/api/v1/clock/confirmations", confirm)
    till.reload()
    strip = till.get_by_role("status").filter(has_text="Jam server tertinggal 2 hari")
    strip.get_by_role("button", name="Jual dengan jam ini").click()
    sheet = till.get_by_role("dialog")
    sheet.get_by_role("button", name="Jam sudah diperiksa").click()
    sheet.get_by_role("button", name="Jual dengan jam ini").click()
    expect(sheet).to_have_count(0)
    assert [one["reason"] for one in asked] == ["Jam sudah diperiksa"]
    till.get_by_role("button", name="Keluar").click()
    sign_in(till, "kitchen", "/login")
    expect(strip).to_be_visible()
    expect(strip.get_by_role("button")).to_have_count(0)


@pytest.mark.deep
def test_f46_the_rail_says_what_is_open_and_how_many(till: Page, other) -> None:
    other.order()
    count = len(other.get("/orders")["orders"])
    expect(till.get_by_role("link", name=re.compile(rf"Pesanan terbuka\s*{count}$"))).to_be_visible(
        timeout=15_000
    )  # it is asked for every 5 s


@pytest.mark.deep
def test_f12_the_change_stays_on_the_screen_until_the_next_sale(till: Page, other) -> None:
    order = other.order()
    till.goto(f"/orders/{order['id']}/pay")
    till.get_by_test_id("due").wait_for()
    till.keyboard.type("50000")
    till.keyboard.press("Enter")
    change = rupiah(till.get_by_test_id("change-due").inner_text())
    till.reload()
    assert rupiah(till.get_by_test_id("change-due").inner_text()) == change
    till.get_by_role("link", name="Pesanan berikutnya").click()
    strip = till.get_by_role("status").filter(has_text="Kembalian terakhir")
    expect(strip).to_contain_text(f"{change:,}".replace(",", "."))
    write_takeaway(till)
    till.get_by_role("button", name="Kirim pesanan").click()
    till.get_by_test_id("order-number").wait_for()
    expect(strip).to_have_count(0)


@pytest.mark.deep
def test_f17_the_next_person_is_told_whose_bill_lies_on_the_device(till: Page) -> None:
    tap(till, WATER)
    expect(bill(till)).to_have_count(1)
    await_kept(till)
    name = till.get_by_role("banner").locator("strong").inner_text()
    till.get_by_role("button", name="Keluar").click()
    sign_in(till, "waiter", "/login")
    expect(till.get_by_text(f"Tagihan ini ditulis oleh {name}.")).to_be_visible()


@pytest.mark.deep
def test_a_language_whose_texts_are_late_is_kept_and_the_last_choice_counts(till: Page) -> None:
    network = Network(till, "**/assets/en-*.js", refused)
    till.reload()
    english, ours = (
        till.get_by_role("button", name=name) for name in ("English", "Bahasa Indonesia")
    )
    with till.expect_event("requestfailed", lambda request: "/assets/en-" in request.url):
        english.click()
    expect(ours).to_have_attribute("aria-pressed", "true")
    network.comes_back()
    till.reload()
    expect(english).to_have_attribute("aria-pressed", "true")
    ours.click()
    expect(ours).to_have_attribute("aria-pressed", "true")
    till.reload()
    held: list[Route] = []
    network.fate = held.append
    till.reload()
    english.click()
    till.wait_for_function("localStorage.getItem('kenangan.language') === 'en'")
    ours.click()
    for route in held:
        route.continue_()
    till.wait_for_function("localStorage.getItem('kenangan.language') === 'id'")
    expect(ours).to_have_attribute("aria-pressed", "true")
    till.reload()
    expect(ours).to_have_attribute("aria-pressed", "true")
