"""Every screen that somebody can open, and how it is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from playwright.sync_api import Page

from tools import build_web

AXE = build_web.WEB / "node_modules" / "axe-core" / "axe.min.js"


@cache
def axe() -> str:
    return AXE.read_text()


def walk(page: Page) -> Iterator[str]:
    """Opens one screen after the other, with the manager signed in at the order screen and an order
    being written; the name of each. Goes by what has no words, so in any language."""
    page.locator("#menu button").nth(1).click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    yield "sheet"
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    yield "order"
    handle = page.locator("aside button[aria-expanded]")
    if handle.is_visible():
        handle.click()
        yield "bill"
        page.keyboard.press("Escape")
    for key, name in (("F4", "guest"), ("?", "keys"), ("F2", "tables")):
        page.keyboard.press(key)
        dialog.wait_for()
        yield name
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")


def open_page(page: Page, path: str) -> None:
    """As a link does: without loading all of it anew."""
    page.evaluate(
        """path => {
            history.pushState({}, "", path);
            dispatchEvent(new PopStateEvent("popstate"));
        }""",
        path,
    )


OVERFLOW = """
() => {
  const width = document.documentElement.clientWidth;
  const page = document.documentElement.scrollWidth > width ? ["the page itself"] : [];
  const clips = (one) => getComputedStyle(one).overflowX !== "visible";
  const scrolls = (one) => one && (clips(one) || scrolls(one.parentElement));
  const out = [...document.querySelectorAll("button, a, h1, h2, strong, dd, input, td")]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width > 1)
    .filter((one) => one.getBoundingClientRect().right > width + 1 && !scrolls(one.parentElement))
    .map((one) => one.ariaLabel || one.textContent);
  const main = document.querySelector("main");
  const sideways = main && main.scrollWidth > main.clientWidth + 1 ? ["main scrolls sideways"] : [];
  return [...page, ...sideways, ...out];
}
"""


def require_no_overflow(page: Page, where: str) -> None:
    found = page.evaluate(OVERFLOW)
    assert not found, f"{where}: {found}"


SMALL = """
() => [...document.querySelectorAll("button, a, [role=radio], input, label[for]")]
  .filter((one) => one.checkVisibility({ opacityProperty: true }) && !one.matches("[type=radio]"))
  .filter((one) => one.tagName !== "LABEL" || one.closest("[role=radiogroup]"))
  .map((one) => [one.ariaLabel || one.textContent, one.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.height < 47.9 || box.width < 47.9))
  .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)
"""


def require_large_targets(page: Page, where: str) -> None:
    """Nothing to tap is under 48 pixels."""
    found = page.evaluate(SMALL)
    assert not found, "\n".join([where, *found])


def look_at(page: Page, where: str) -> None:
    """Accessible, made for fingers, and nothing out of the screen."""
    require_accessible(page, where)
    require_large_targets(page, where)
    require_no_overflow(page, where)


BEST = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def require_accessible(page: Page, where: str) -> None:
    """What axe-core finds by WCAG 2.2 A and AA and by its best practices: nothing."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe())
    found = page.evaluate('rules => axe.run({ runOnly: rules, resultTypes: ["violations"] })', BEST)
    told = [
        f"{fault['id']}: {node['html'][:160]} ({node['failureSummary'][:300]})"
        for fault in found["violations"]
        for node in fault["nodes"][:3]
    ]
    assert not told, "\n".join([where, *told])
