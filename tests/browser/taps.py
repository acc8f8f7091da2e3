"""Second taps at the pace of people: where the first one fell, on whatever is there by then."""

from __future__ import annotations

from playwright.sync_api import Locator

# By the timers of the page, as its guards go: a command from outside comes late on a busy machine.
TAP_TWICE = """
([x, y, gap, sign, key]) => new Promise((done) => {
  const tap = () => {
    const at = { bubbles: true, cancelable: true, clientX: x, clientY: y, detail: 1 };
    const under = document.elementFromPoint(x, y);
    under.dispatchEvent(new PointerEvent("pointerdown", at));
    under.dispatchEvent(new MouseEvent("click", at));
  };
  const press = () => {
    const pressed = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, key });
    document.activeElement.dispatchEvent(pressed);
  };
  const again = () => setTimeout(() => { tap(); if (key !== null) press(); done(); }, gap);
  tap();
  if (sign === null) return again();
  const look = () => document.body.innerText.includes(sign) && (seen.disconnect(), again());
  const seen = new MutationObserver(look);
  seen.observe(document.body, { childList: true, subtree: true, characterData: true });
  look();
})
"""


def tap_twice(button: Locator, gap: int, sign: str | None = None, key: str | None = None) -> None:
    """Tap the middle of a button, and the same place `gap` milliseconds after that, or after the
    text `sign` has come; and press a key as well."""
    box = button.bounding_box()
    assert box is not None
    place = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    button.page.evaluate(TAP_TWICE, [*place, gap, sign, key])
