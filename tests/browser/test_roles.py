"""Each role has its own home, and is offered what it may do."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.staff import Colleague, come_in, sign_in
from tests.browser.test_around import look_at

pytestmark = pytest.mark.browser

HOMES = {
    "admin": "/reports/day",
    "manager": "/reports/day",
    "cashier": "/order",
    "waiter": "/order",
    "kitchen": "/orders",
}
LINKS = {
    "admin": ["Pesan", "Pesanan terbuka", "Struk", "Habis", "Laporan", "Status"],
    "manager": ["Pesan", "Pesanan terbuka", "Struk", "Habis", "Laporan", "Status"],
    "cashier": ["Pesan", "Pesanan terbuka", "Struk", "Status"],
    "waiter": ["Pesan", "Pesanan terbuka", "Struk", "Status"],
    "kitchen": ["Pesanan terbuka", "Habis", "Status"],
}


@pytest.fixture(scope="module")
def manager(house) -> Colleague:
    return Colleague(house.url, "manager")


@pytest.mark.parametrize("role", HOMES)
def test_f11_each_role_begins_at_its_own_home_and_sees_the_ways_that_are_its_own(
    page: Page, role: str
) -> None:
    sign_in(page, role)
    expect(page).to_have_url(re.compile(f"{HOMES[role]}$"))
    links = page.get_by_role("navigation").get_by_role("link")
    expect(links.last).to_have_text("Status")
    names = [re.sub(r"\d+$", "", text).strip() for text in links.all_inner_texts()]
    assert names == LINKS[role]


@pytest.mark.parametrize(
    ("role", "path"),
    [("kitchen", "/order"), ("cashier", "/order/sold-out"), ("waiter", "/reports/day")],
)
def test_f11_a_page_that_a_role_has_not_is_refused_before_anything_is_tapped(
    page: Page, role: str, path: str
) -> None:
    come_in(page, role, path)
    expect(page.get_by_role("alert")).to_contain_text("Peran Anda tidak boleh melakukan ini")
    expect(page.get_by_role("button", name="Kirim pesanan")).to_have_count(0)


def test_f11_a_waiter_is_offered_no_money(page: Page, manager) -> None:
    order = manager.order()
    come_in(page, "waiter", f"/orders/{order['id']}/pay")
    expect(page.get_by_text("Pembayaran diterima di kasir.")).to_be_visible()
    for name in ("Terima tunai", "Uang pas", "QRIS"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    page.goto("/orders")
    expect(
        page.get_by_role("link").filter(has_text=f"No. {order['number']}").first
    ).to_contain_text("Lihat")


def test_f35_the_kitchen_marks_a_dish_sold_out_and_every_till_shows_it(
    page: Page, browser, house
) -> None:
    come_in(page, "kitchen", "/order/sold-out")
    dish = page.get_by_role("switch", name="Ribeye Australia")
    dish.click()
    expect(dish).to_be_checked()
    context = browser.new_context(base_url=house.url, service_workers="block")
    try:
        till = come_in(context.new_page(), "cashier", "/order")
        expect(till.get_by_role("button", name="Ribeye Australia")).to_contain_text(
            "Habis", timeout=12_000
        )
    finally:
        context.close()
        dish.click()
        expect(dish).not_to_be_checked()


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_sold_out_page_fits(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    come_in(page, "kitchen", "/order/sold-out")
    page.get_by_role("switch").first.wait_for()
    look_at(page, f"what is sold out at {width}")


def test_f37_the_house_its_tax_and_the_rates_are_the_servers(till: Page, house) -> None:
    admin = Colleague(house.url, "admin")
    admin.send("PATCH", "/admin/restaurant", {"name": "Warung Bara", "tax_name": "PBJT"})
    order = admin.order()
    try:
        till.goto(f"/orders/{order['id']}/pay")
        main = till.get_by_role("main")
        expect(main).to_contain_text("Pajak PBJT 10%")
        expect(main).to_contain_text("Biaya layanan 5%")
        till.get_by_role("button", name="Keluar").click()
        expect(till.get_by_role("heading", name="Warung Bara")).to_be_visible()
    finally:
        admin.send("PATCH", "/admin/restaurant", {"name": "Steak Kenangan", "tax_name": "PB1"})
