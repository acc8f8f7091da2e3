"""Every screen at every width, zoom, language and theme: nothing cut off, nothing out of reach."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.screens import (
    open_page,
    require_accessible,
    require_large_targets,
    require_no_overflow,
    walk,
)
from tests.browser.staff import come_in
from tests.browser.test_order_screen import choose, open_steak, take_elsewhere
from tests.browser.test_sell import WATER, bill, tap, write_takeaway

pytestmark = pytest.mark.browser

WIDTHS = {"phone": (390, 844), "tablet": (768, 1024), "till": (1024, 600), "desk": (1280, 800)}
PAGES = (
    *("/orders", "/orders/{order}/pay", "/orders/{order}/receipt", "/orders/paid"),
    *(
        "/orders/waiting",
        "/order/sold-out",
        "/reports/day",
        "/settings/restaurant",
        "/app/status",
        "/nowhere",
    ),
)


@pytest.fixture
def office(page: Page) -> Page:
    """The order screen with the admin signed in, who may see every screen."""
    come_in(page, "admin", "/order")
    page.get_by_role("tab", name="Steak").wait_for()
    return page


def settle(page: Page) -> None:
    """Until what the page has asked for has come."""
    page.wait_for_function(
        """() => document.querySelector("main h1")
          && !document.querySelector(".mantine-Loader-root, .mantine-Skeleton-root")"""
    )


def turn_to(page: Page, path: str) -> None:
    """Opens another page, and waits until it is there: the one before stays on meanwhile."""
    page.evaluate("document.querySelector('main h1')?.setAttribute('data-before', '')")
    open_page(page, path)
    page.wait_for_function("() => !document.querySelector('[data-before]')")
    settle(page)


@pytest.mark.parametrize(
    "size",
    [pytest.param(size, marks=() if size == "phone" else pytest.mark.deep) for size in WIDTHS],
)
def test_no_screen_scrolls_sideways_in_any_language_and_theme(office: Page, size: str) -> None:
    width, height = WIDTHS[size]
    order = take_elsewhere(office, type="takeaway", customer_name="Donaudampfschifffahrtsverein")
    write_takeaway(office)
    office.set_viewport_size({"width": width, "height": height})
    for language, theme in (("id", "light"), ("en", "dark")):
        for where in visit(office, order["id"], language, theme):
            require_no_overflow(office, f"{where} at {size}")
            require_large_targets(office, f"{where} at {size}")
            require_whole_rail(office, where)


@pytest.mark.deep
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["id", "en"])
def test_axe_finds_nothing_on_any_screen_nor_at_two_hundred_percent(
    office: Page, language: str, theme: str
) -> None:
    order = take_elsewhere(office, type="takeaway")
    write_takeaway(office)
    width, height = WIDTHS["tablet" if theme == "dark" else "till"]
    whole, half = ({"width": width // by, "height": height // by} for by in (1, 2))
    office.set_viewport_size(whole)
    for where in visit(office, order["id"], language, theme):
        require_accessible(office, where)
        office.set_viewport_size(half)
        require_no_overflow(office, f"{where} at 200 %")
        require_accessible(office, f"{where} at 200 %")
        office.set_viewport_size(whole)
    office.set_viewport_size(half)
    send = office.locator("aside button[data-size=xl]")
    require_in_view(office, send, "200 %")


def visit(page: Page, order_id: int, language: str, theme: str) -> Iterator[str]:
    """Opens every screen in a language and a theme; says which."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.locator(f"header button[lang={language}]").click()
    for screen in walk(page):
        yield f"{screen}, {language}, {theme}"
    for path in PAGES:
        turn_to(page, path.format(order=order_id))
        yield f"{path}, {language}, {theme}"
    turn_to(page, "/order")
    page.get_by_role("tab").first.wait_for()


def require_whole_rail(page: Page, where: str) -> None:
    """Nobody scrolls a rail."""
    hidden = "rail => [rail.scrollHeight - rail.clientHeight, rail.scrollWidth - rail.clientWidth]"
    assert max(page.locator("header:has(nav)").evaluate(hidden)) <= 0, where


def require_in_view(page: Page, locator, where: str) -> None:
    """All of it, without anybody scrolling."""
    box = locator.bounding_box()
    size = page.viewport_size
    assert box is not None, where
    assert size is not None
    assert 0 <= box["y"] <= size["height"] + 0.5 - box["height"], (where, box, size)
    assert 0 <= box["x"] <= size["width"] + 0.5 - box["width"], (where, box, size)


ZOOMS = [(1280, 800, 100), (1280, 800, 125), (1280, 800, 150), (1280, 800, 200)]
ZOOMS += [(1024, 600, 100), (1024, 600, 125), (768, 1024, 125), (768, 1024, 150), (390, 844, 100)]


def test_the_button_that_ends_the_sale_is_in_view_at_every_size_and_zoom(till: Page) -> None:
    write_takeaway(till)
    for width, height, zoom in ZOOMS:
        size = {"width": width * 100 // zoom, "height": height * 100 // zoom}
        till.set_viewport_size(size)
        send = till.get_by_role("button", name="Kirim pesanan")
        require_in_view(till, send, f"send, {width}x{height} at {zoom} %")


@pytest.mark.deep
def test_the_button_that_takes_the_money_is_in_view_at_every_size_and_zoom(till: Page) -> None:
    write_takeaway(till)
    till.get_by_role("button", name="Kirim pesanan").click()
    till.get_by_role("link", name="Bayar sekarang").click()
    till.get_by_test_id("due").wait_for()
    for width, height, zoom in ZOOMS:
        till.set_viewport_size({"width": width * 100 // zoom, "height": height * 100 // zoom})
        pay = till.get_by_role("button", name="Terima tunai")
        require_in_view(till, pay, f"pay, {width}x{height} at {zoom} %")


@pytest.mark.deep
def test_a_phone_shows_the_figures_to_type_before_the_bill_which_unfolds(till: Page) -> None:
    order = take_elsewhere(till, type="takeaway")
    till.set_viewport_size({"width": 390, "height": 844})
    turn_to(till, f"/orders/{order['id']}/pay")
    for key in ("7", "0", "000"):
        require_in_view(till, till.get_by_role("button", name=key, exact=True), key)
    require_in_view(till, till.get_by_role("button", name="Terima tunai"), "the end of the sale")
    lines = till.get_by_role("main").get_by_role("listitem")
    expect(lines).to_have_count(0)
    fold = till.get_by_role("button", name="Isi pesanan")
    fold.click()
    expect(lines).not_to_have_count(0)
    expect(till.get_by_test_id("total")).to_be_visible()
    expect(till.get_by_role("button", name="Batalkan pesanan")).to_be_visible()
    till.set_viewport_size({"width": 1280, "height": 800})
    expect(fold).to_be_hidden()
    expect(lines).not_to_have_count(0)


@pytest.mark.deep
@pytest.mark.parametrize("way", ["mouse", "wheel", "keys"])
def test_every_category_is_in_reach_by_mouse_by_wheel_and_by_keys(till: Page, way: str) -> None:
    tabs = till.get_by_role("tab")
    for width, height in WIDTHS.values():
        till.set_viewport_size({"width": width, "height": height})
        tabs.first.click()
        if way == "keys":
            till.keyboard.press("End")
        elif way == "wheel":
            till.get_by_role("tablist").hover()
            till.mouse.wheel(0, 4_000)
        for _ in range(tabs.count()):
            if way != "mouse" or shown_of(tabs.last) > 40:
                break
            last = [tab for tab in tabs.all() if shown_of(tab) > 16][-1]
            box = last.bounding_box()
            assert box is not None
            till.mouse.click(box["x"] + 8, box["y"] + 20)
        tabs.last.click(position={"x": 8, "y": 20})
        expect(tabs.last).to_have_attribute("aria-selected", "true")
        expect(tabs.last).to_be_in_viewport(ratio=1)


def shown_of(tab) -> float:
    """How many pixels of a tab show in its list, from its left edge."""
    return float(
        tab.evaluate(
            """tab => {
                const [own, list] = [tab, tab.parentElement].map((one) => {
                    return one.getBoundingClientRect();
                });
                const right = Math.min(own.right, list.right, innerWidth);
                return own.bottom <= list.bottom + 1 ? right - own.left : 0;
            }"""
        )
    )


@pytest.mark.deep
def test_the_newest_line_is_in_view_and_marked(till: Page) -> None:
    till.set_viewport_size({"width": 1280, "height": 800})
    till.get_by_role("tab", name="Pendamping").click()
    for tile in till.get_by_role("tabpanel").get_by_role("button").all():
        tile.click()
    till.get_by_role("tab", name="Minuman").click()
    tap(till, WATER)
    newest = bill(till).filter(has_text=WATER)
    expect(newest).to_be_in_viewport(ratio=1)
    expect(newest).to_have_attribute("data-newest", "true")
    plain = newest.bounding_box()
    assert plain is not None
    assert plain["height"] <= 80
    first = bill(till).first
    first.get_by_role("button", name=re.compile("^Tambah satu")).click()
    expect(first).to_have_attribute("data-newest", "true")
    expect(newest).to_have_attribute("data-newest", "false")


CLIPPED = """
() => [...document.querySelectorAll("#menu button")].filter((tile) => {
  const box = tile.getBoundingClientRect();
  return [...tile.children].some((part) => {
    const inside = part.getBoundingClientRect();
    return inside.bottom > box.bottom + 0.5 || inside.right > box.right + 0.5;
  });
}).map((tile) => tile.textContent)
"""


@pytest.mark.deep
def test_no_price_is_cut_off_however_long_a_name_is(till: Page) -> None:
    names = ["Tenderloin Australia dengan kentang truffle dan saus jamur", "Donaudampfschiff" * 3]

    def rename(route) -> None:
        answer = route.fetch(headers={**route.request.headers, "if-none-match": ""})
        menu = answer.json()
        for at, product in enumerate(menu["categories"][0]["products"]):
            product["name"] = names[at % len(names)]
        route.fulfill(response=answer, json=menu)

    till.route("**/api/v1/public/menu*", rename)
    till.reload()
    till.get_by_role("tabpanel").get_by_role("button", name=names[0]).first.wait_for()
    for width, height in [*WIDTHS.values(), (1024, 640)]:
        till.set_viewport_size({"width": width, "height": height})
        assert till.evaluate(CLIPPED) == [], (width, height)
        require_no_overflow(till, f"long names at {width}")


@pytest.mark.deep
def test_a_phone_shows_the_menu_whole_and_the_bill_as_a_sheet_below(till: Page) -> None:
    write_takeaway(till)
    till.set_viewport_size({"width": 390, "height": 844})
    menu = till.get_by_role("tabpanel").bounding_box()
    assert menu is not None
    assert menu["width"] >= 380
    total = till.get_by_test_id("total")
    require_in_view(till, total, "the total")
    expect(bill(till)).to_have_count(0)  # the lines are not in the way
    till.get_by_role("button", name="Lihat tagihan (1)").click()
    expect(bill(till)).to_have_count(1)
    till.go_back()
    expect(bill(till)).to_have_count(0)
    assert till.url.endswith("/order")
    send = till.get_by_role("button", name="Kirim pesanan").bounding_box()
    assert send is not None
    assert send["y"] > 844 * 0.75  # at the thumb
    till.get_by_role("button", name="Kirim pesanan").click()
    expect(till.get_by_test_id("order-number")).to_be_visible()


@pytest.mark.deep
def test_with_forced_colours_what_is_chosen_still_looks_chosen(till: Page) -> None:
    till.emulate_media(forced_colors="active", reduced_motion="reduce")
    sheet = open_steak(till)
    choose(sheet)
    chosen = sheet.get_by_role("radio", name="Medium Rare", exact=True)
    other = sheet.get_by_role("radio", name="Well Done")
    assert ground(chosen) != ground(other)
    assert ground(sheet.get_by_role("checkbox", checked=True).first) == ground(chosen)
    till.keyboard.press("Escape")
    tabs = till.get_by_role("tab")
    assert ground(tabs.nth(0)) != ground(tabs.nth(1))
    languages = till.get_by_role("group", name="Bahasa").get_by_role("button")
    assert ground(languages.nth(0)) != ground(languages.nth(1))
    links = till.get_by_role("navigation").get_by_role("link")
    assert ground(links.nth(0)) != ground(links.nth(1))


def ground(locator) -> str:
    return str(locator.evaluate("one => getComputedStyle(one).backgroundColor"))


def test_who_wants_no_motion_sees_none(browser: Browser, house) -> None:
    context = browser.new_context(base_url=house.url, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("Nama pengguna").wait_for()
    longest = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll("*")].flatMap((one) => {
            const { transitionDuration, animationDuration } = getComputedStyle(one);
            return [...transitionDuration.split(","), ...animationDuration.split(",")];
        }).map(Number.parseFloat))"""
    )
    context.close()
    assert longest <= 0.001


@pytest.mark.deep
def test_the_theme_is_the_devices_until_somebody_chooses(till: Page) -> None:
    till.emulate_media(color_scheme="dark", reduced_motion="reduce")
    switch = till.get_by_role("button", name="Tampilan gelap")
    expect(switch).to_have_attribute("aria-pressed", "true")
    dark = till.evaluate("getComputedStyle(document.body).backgroundColor")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    till.reload()
    expect(switch).to_have_attribute("aria-pressed", "false")
    assert till.evaluate("getComputedStyle(document.body).backgroundColor") != dark
