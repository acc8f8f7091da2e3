"""The headers of security leave our own pages whole: a real browser has nothing to say."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser

SCREENS = ("/", "/orders", "/orders/1/pay", "/app/status", "/login", "/nowhere")


def complaints(page: Page) -> list[str]:
    """The errors and warnings of a page's console, from now on."""
    found: list[str] = []

    def note(kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            found.append(text)

    page.on("console", lambda message: note(message.type, message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def test_no_screen_breaks_the_policy(till: Page) -> None:
    found = complaints(till)
    for screen in SCREENS:
        till.goto(screen)
        expect(till.locator("#root main, #root form").first).to_be_visible()
    expected = ("404", "blocked by Playwright")  # an order that is not there; the test's own worker
    assert [text for text in found if not any(word in text for word in expected)] == []


@pytest.mark.deep
def test_the_documentation_shows_its_operations_under_the_policy(context: BrowserContext) -> None:
    page = context.new_page()
    found = complaints(page)
    page.goto("/api/v1/docs")
    expect(page.get_by_text("/api/v1/auth/login", exact=True).first).to_be_visible()
    assert found == []


def test_a_script_that_somebody_slips_in_does_not_run(till: Page) -> None:
    found = complaints(till)
    till.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.slippedIn = true';
            document.body.append(script);
        }"""
    )
    assert till.evaluate("window.slippedIn") is None
    assert any("Content Security Policy" in text for text in found)


def test_what_kitchen_and_printing_need_is_allowed_and_the_rest_is_not(till: Page) -> None:
    def allowed(feature: str) -> bool:
        return bool(till.evaluate(f"document.featurePolicy.allowsFeature('{feature}')"))

    for feature in ("screen-wake-lock", "autoplay", "fullscreen", "usb"):
        assert allowed(feature), feature
    for feature in ("camera", "microphone", "geolocation", "payment"):
        assert not allowed(feature), feature
