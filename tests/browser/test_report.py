"""The day's sums as a manager sees them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.staff import come_in
from tests.browser.test_around import look_at

pytestmark = pytest.mark.browser

SIZES = {"phone": (390, 844), "tablet": (768, 1024), "desk": (1280, 800)}


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


@pytest.mark.parametrize("size", SIZES)
def test_the_report_is_whole_on_a_phone_a_tablet_and_a_desk(office: Page, size: str) -> None:
    width, height = SIZES[size]
    office.set_viewport_size({"width": width, "height": height})
    expect(office.get_by_role("heading", name="Laporan harian")).to_be_visible()
    for part in ("method-cash", "method-qris", "method-card", "tax", "service_charge"):
        expect(office.get_by_test_id(part)).to_be_attached()
    look_at(office, f"the report on a {size}")


def test_a_sale_is_in_the_sums_of_its_day(office: Page) -> None:
    before = rupiah(office.get_by_test_id("received").inner_text())
    total = sell(office)
    office.reload()
    expect(office.get_by_test_id("received")).not_to_have_text("")
    assert rupiah(office.get_by_test_id("received").inner_text()) >= before + total
    expect(office.get_by_test_id("method-qris")).to_contain_text("Rp")


def test_a_manager_goes_back_a_day_and_forth_again(office: Page) -> None:
    after = office.get_by_role("button", name="Hari berikutnya")
    expect(after).to_be_disabled()
    today = office.get_by_label("Tanggal usaha").input_value()
    office.get_by_role("button", name="Hari sebelumnya").click()
    expect(office.get_by_text("selesai")).to_be_visible()
    assert office.get_by_label("Tanggal usaha").input_value() < today
    expect(office.get_by_test_id("received")).to_have_text(re.compile(r"Rp\s0"))
    after.click()
    expect(office.get_by_text("masih berjalan")).to_be_visible()
    expect(office.get_by_label("Tanggal usaha")).to_have_value(today)


def test_the_report_speaks_english_too(office: Page) -> None:
    office.get_by_role("button", name="English").click()
    expect(office.get_by_role("heading", name="Day report")).to_be_visible()
    expect(office.get_by_text("Money received")).to_be_visible()


def test_a_cashier_has_no_link_to_it_and_is_refused_in_words(till: Page) -> None:
    expect(till.get_by_role("link", name="Laporan")).to_have_count(0)
    till.goto("/reports/day")
    expect(till.get_by_role("alert")).to_contain_text("Peran Anda tidak boleh melakukan ini")
