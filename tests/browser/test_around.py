"""What stands around the sale: signing in, languages, the status page, the installed app."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.screens import look_at
from tests.browser.test_policy import complaints
from tools import build_web

pytestmark = pytest.mark.browser


@pytest.mark.deep
def test_the_language_switch_changes_screen_and_menu_and_is_remembered(till: Page) -> None:
    till.get_by_role("button", name="English").click()
    expect(till.get_by_role("button", name="Send order")).to_be_visible()
    expect(till.get_by_role("tab", name="Starters & Salads")).to_be_visible()
    till.reload()
    expect(till.get_by_role("button", name="Send order")).to_be_visible()
    assert till.evaluate("document.documentElement.lang") == "en"


def test_a_wrong_password_is_told_as_such(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Nama pengguna").fill("cashier")
    page.get_by_label("Kata sandi", exact=True).fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nama pengguna atau kata sandi salah")


@pytest.mark.deep
def test_too_many_tries_are_told_with_the_time_to_wait(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Nama pengguna").fill("somebody-who-guesses")
    page.get_by_label("Kata sandi", exact=True).fill("wrong")
    alert = page.get_by_role("alert")
    for _ in range(30):
        expect(page.get_by_role("button", name="Masuk", exact=True)).to_be_enabled()
        with page.expect_response("**/auth/login") as answer:
            page.keyboard.press("Enter")
        if answer.value.status == 429:
            break
    expect(alert).to_contain_text(re.compile(r"Terlalu banyak percobaan.* \d+ detik"))


def test_a_server_that_is_away_is_told_as_such(page: Page) -> None:
    page.goto("/")
    page.route("**/auth/login", lambda route: route.abort())
    page.get_by_role("button", name="cashier").click()
    page.get_by_role("button", name="Masuk", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Server tidak menjawab")


@pytest.mark.deep
def test_an_error_shows_the_request_id_that_finds_it_in_the_log(till: Page) -> None:
    till.goto("/orders/999999/pay")
    expect(till.get_by_role("alert")).to_contain_text("Tidak ditemukan")
    expect(till.get_by_role("alert")).to_contain_text(re.compile(r"ID permintaan: \S{8,}"))


def test_an_access_token_that_has_run_out_is_renewed_unseen_and_once(till: Page) -> None:
    renewals = []
    till.on("request", lambda request: "/auth/refresh" in request.url and renewals.append(request))

    def forget(route) -> None:
        headers = {**route.request.headers, "authorization": "Bearer run-out"}
        route.continue_(headers=headers if not renewals else None)

    till.route(re.compile(r"/api/v1/(tables|orders)"), forget)
    till.get_by_role("link", name="Terbuka").click()
    expect(till.get_by_role("heading", name="Pesanan terbuka")).to_be_visible()
    expect(till.get_by_role("alert")).to_have_count(0)
    till.get_by_role("link", name="Pesan", exact=True).click()
    expect(till.get_by_role("tab", name="Steak")).to_be_visible()
    assert len(renewals) == 1


def test_signing_out_ends_the_session_on_the_server_and_in_every_tab(till: Page) -> None:
    other = till.context.new_page()
    other.goto("/order")
    other.get_by_role("tab", name="Steak").wait_for()
    token = till.evaluate("localStorage.getItem('kenangan.refresh')")
    with till.expect_response("**/auth/logout") as answer:
        till.get_by_role("button", name="Keluar").click()
    assert answer.value.status == 204
    expect(other.get_by_label("Nama pengguna")).to_be_visible()
    again = till.request.post("/api/v1/auth/refresh", data={"refresh_token": token})
    assert again.status == 401


def test_the_status_page_needs_no_sign_in_and_shows_every_check(page: Page) -> None:
    page.goto("/app/status")
    card = page.get_by_test_id("check-database")
    expect(card).to_contain_text("Baik")
    expect(card).to_contain_text(re.compile(r"\d+ terbuka · \d+ dipakai · \d+ siaga"))
    expect(page.get_by_test_id("check-api")).to_contain_text("Menyala")


@pytest.mark.deep
def test_the_status_page_says_when_no_answer_comes_and_keeps_the_last_one(page: Page) -> None:
    page.goto("/app/status")
    page.get_by_test_id("check-database").wait_for()
    page.route("**/health", lambda route: route.abort())
    expect(page.get_by_role("status")).to_contain_text("Server tidak menjawab")
    expect(page.get_by_test_id("check-database")).to_be_visible()


@pytest.mark.deep
def test_the_installed_app_keeps_the_policy_opens_without_the_server_and_renews_when_told(
    browser: Browser, house
) -> None:
    context = browser.new_context(base_url=house.url, service_workers="allow")
    page = context.new_page()
    found = complaints(page)
    page.goto("/app/status")
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    page.reload()
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    expect(page.get_by_test_id("check-database")).to_be_visible()
    assert found == []
    worker = build_web.WEB / "dist" / "sw.js"
    released = worker.read_bytes()
    worker.write_bytes(released + b"\n// the next release\n")
    try:
        page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.update())")
        strip = page.get_by_role("status").filter(has_text="Versi baru sudah siap")
        expect(strip).to_be_visible()
        with page.expect_navigation():
            # A click waits for two pictures of the page; a busy machine gave none in 30 s.
            strip.get_by_role("button", name="Muat ulang").evaluate("(button) => button.click()")
    finally:
        worker.write_bytes(released)
    expect(page.get_by_test_id("check-database")).to_be_visible()
    expect(strip).to_have_count(0)
    context.set_offline(True)
    page.reload(wait_until="commit")
    expect(page.get_by_role("status").filter(has_text="Server tidak menjawab")).to_be_visible()
    context.close()


def test_the_sale_from_sign_in_to_sign_out_is_accessible_and_made_for_fingers(till: Page) -> None:
    till.set_viewport_size({"width": 820, "height": 1180})
    till.get_by_role("radiogroup").get_by_text("Bawa pulang").click()
    till.get_by_role("tab", name="Minuman").click()
    till.get_by_role("tabpanel").get_by_role("button").first.click()
    expect(till.get_by_test_id("total")).to_contain_text("Rp")
    till.get_by_role("button", name="Kirim pesanan").click()
    till.get_by_test_id("order-number").wait_for()
    look_at(till, "the order that was sent")
    till.get_by_role("link", name="Bayar sekarang").click()
    till.get_by_test_id("due").wait_for()
    till.keyboard.type("50000")
    look_at(till, "the payment")
    till.keyboard.press("Enter")
    till.get_by_test_id("change-due").wait_for()
    look_at(till, "the change")
    till.get_by_role("button", name="Keluar").click()
    till.get_by_role("button", name="kitchen").wait_for()
    look_at(till, "the sign-in")
