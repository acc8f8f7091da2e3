"""The day's sums as a manager sees them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import look_at
from tests.browser.staff import come_in

pytestmark = pytest.mark.browser


@pytest.fixture
def office(page: Page) -> Page:
    """The report of today, with the manager signed in."""
    come_in(page, "manager", "/reports/day")
    page.get_by_test_id("received").wait_for()
    return page


def rupiah(text: str) -> int:
    return int(re.sub(r"[^\d-]", "", text))


def sell(page: Page) -> int:
    """Sells a water by QRIS, past the browser; returns its total."""
    with page.expect_response("**/auth/refresh") as answer:
        page.reload()
    headers = {"Authorization": f"Bearer {answer.value.json()['access_token']}"}
    menu = page.request.get("/api/v1/public/menu").json()
    products = {one["name"]: one["id"] for c in menu["categories"] for one in c["products"]}
    order = page.request.post(
        "/api/v1/orders",
        data={
            "type": "takeaway",
            "lines": [{"product_id": products["Air Mineral"], "quantity": 1}],
        },
        headers={**headers, "Idempotency-Key": page.evaluate("crypto.randomUUID()")},
    ).json()
    page.request.post(
        f"/api/v1/orders/{order['id']}/payments",
        data={"method": "qris", "amount": order["due"]},
        headers={**headers, "Idempotency-Key": page.evaluate("crypto.randomUUID()")},
    )
    return int(order["total"])


def test_a_sale_is_in_the_sums_of_its_day(office: Page) -> None:
    before = rupiah(office.get_by_test_id("received").inner_text())
    total = sell(office)
    office.reload()
    expect(office.get_by_test_id("received")).not_to_have_text("")
    assert rupiah(office.get_by_test_id("received").inner_text()) >= before + total
    for part in ("method-cash", "method-qris", "method-card", "tax", "service_charge"):
        expect(office.get_by_test_id(part)).to_contain_text("Rp")


@pytest.mark.deep
def test_a_manager_goes_back_a_day_and_forth_again(office: Page) -> None:
    after = office.get_by_role("button", name="Hari berikutnya")
    expect(after).to_be_disabled()
    day = office.get_by_role("button", name="Tanggal usaha")
    today = day.inner_text()
    office.get_by_role("button", name="Hari sebelumnya").click()
    expect(office.get_by_text("selesai")).to_be_visible()
    expect(day).not_to_have_text(today)
    expect(office.get_by_test_id("received")).to_have_text(re.compile(r"Rp\s0"))
    after.click()
    expect(office.get_by_text("masih berjalan")).to_be_visible()
    expect(day).to_have_text(today)


@pytest.mark.deep
def test_a_date_is_chosen_in_the_language_of_the_screen_and_none_that_is_to_come(
    office: Page,
) -> None:
    assert office.evaluate("navigator.language").startswith("en")
    office.goto("/reports/day?date=2026-12-11")
    day = office.get_by_role("button", name="Tanggal usaha")
    expect(day).to_have_text("Jum, 11 Des 2026")
    office.goto("/reports/day?date=2025-12-11")
    expect(day).to_have_text("Kam, 11 Des 2025")
    day.click()
    calendar = office.get_by_role("dialog", name="Tanggal usaha")
    expect(calendar.get_by_role("button", name="Kamis, 11 Desember 2025")).to_be_focused()
    expect(calendar).to_contain_text("desember 2025", ignore_case=True)
    look_at(office, "the calendar")
    office.keyboard.press("ArrowUp")
    office.keyboard.press("Enter")
    expect(calendar).to_have_count(0)
    expect(day).to_have_text("Kam, 4 Des 2025")
    expect(day).to_be_focused()
    assert office.url.endswith("?date=2025-12-04")
    office.get_by_role("button", name="English").click()
    expect(office.get_by_role("button", name="Business date")).to_have_text("Thu, 4 Dec 2025")
    office.get_by_role("button", name="Business date").click()
    office.get_by_role("button", name="Today").click()
    expect(office.get_by_role("button", name="The day after")).to_be_disabled()
    office.get_by_role("button", name="Business date").click()
    today = office.locator("dialog [aria-current=date]")
    after = today.locator("xpath=following::button[@aria-label][1]")
    expect(after).to_be_disabled()


@pytest.mark.parametrize(
    "path", ["/reports/day?date=", pytest.param("/orders/paid?day=", marks=pytest.mark.deep)]
)
def test_an_address_with_no_day_in_it_is_today(office: Page, path: str) -> None:
    day = office.get_by_role("button", name="Tanggal usaha")
    today = day.inner_text()
    for text in ("abc", "2026-02-30", "9999999-01-01", "%00"):
        office.goto(f"{path}{text}")
        expect(day).to_have_text(today)
        expect(office.get_by_role("alert")).to_have_count(0)


def test_the_report_speaks_english_too(office: Page) -> None:
    office.get_by_role("button", name="English").click()
    expect(office.get_by_role("heading", name="Day report")).to_be_visible()
    expect(office.get_by_text("Money received")).to_be_visible()


def test_a_cashier_has_no_link_to_it_and_is_refused_in_words(till: Page) -> None:
    expect(till.get_by_role("link", name="Laporan")).to_have_count(0)
    till.goto("/reports/day")
    expect(till.get_by_role("alert")).to_contain_text("Peran Anda tidak boleh melakukan ini")
