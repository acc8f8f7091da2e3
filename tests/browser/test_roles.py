"""Each role has its own home, and is offered what it may do."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import look_at
from tests.browser.staff import Colleague, come_in, sign_in

pytestmark = pytest.mark.browser

HOMES = {
    "admin": "/reports/day",
    "manager": "/reports/day",
    "cashier": "/order",
    "waiter": "/order",
    "kitchen": "/orders",
}
LINKS = {
    "admin": ["Pesan", "Pesanan terbuka", "Struk", "Habis", "Laporan", "Restoran", "Status"],
    "manager": ["Pesan", "Pesanan terbuka", "Struk", "Habis", "Laporan", "Status"],
    "cashier": ["Pesan", "Pesanan terbuka", "Struk", "Status"],
    "waiter": ["Pesan", "Pesanan terbuka", "Struk", "Status"],
    "kitchen": ["Pesanan terbuka", "Habis", "Status"],
}


@pytest.fixture(scope="module")
def manager(house) -> Colleague:
    return Colleague(house.url, "manager")


@pytest.mark.parametrize(
    "role",
    [
        pytest.param(role, marks=[] if role in ("cashier", "kitchen") else [pytest.mark.deep])
        for role in HOMES
    ],
)
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
    [
        *(("kitchen", "/order"), ("cashier", "/order/sold-out"), ("waiter", "/reports/day")),
        ("manager", "/settings/restaurant"),
    ],
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


@pytest.mark.deep
def test_f37_an_admin_names_the_house_its_tax_and_the_rates_for_every_screen(
    page: Page, house
) -> None:
    admin = Colleague(house.url, "admin")
    come_in(page, "admin", "/settings/restaurant")
    page.get_by_label("Nama restoran").fill("Warung Bara")
    page.get_by_label("Nama pajak").fill("PBJT")
    page.get_by_label("Biaya layanan, %").fill("seratus")
    page.get_by_role("button", name="Simpan").click()
    expect(page.get_by_text("Tulis seperti 10 atau 7,5")).to_be_visible()
    page.get_by_label("Biaya layanan, %").fill("7,5")
    page.get_by_role("button", name="Simpan").click()
    try:
        expect(page.get_by_role("status").filter(has_text="Tersimpan")).to_be_visible()
        look_at(page, "the settings of the house")
        page.goto(f"/orders/{admin.order()['id']}/pay")
        main = page.get_by_role("main")
        expect(main).to_contain_text("Pajak PBJT 10%")
        expect(main).to_contain_text("Biaya layanan 7,5%")
        manifest = page.locator("link[rel=manifest]").get_attribute("href") or ""
        assert page.request.get(manifest).json()["name"] == "Warung Bara"
        page.get_by_role("button", name="Keluar").click()
        expect(page.get_by_role("heading", name="Warung Bara")).to_be_visible()
    finally:
        before = {"name": "Steak Kenangan", "tax_name": "PB1", "service_rate": 500}
        admin.send("PATCH", "/admin/restaurant", before)
