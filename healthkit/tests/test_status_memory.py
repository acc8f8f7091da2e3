"""The status page in memory: renewed by itself, rendered once, and honest when it is old."""

import json
from datetime import timedelta

import pytest

from healthkit._model.alerts import Level
from healthkit._status import html
from healthkit._status.publisher import EVERY, STALE_AFTER, StatusPublisher
from healthkit.testing import ManualClock, wait_until

from .status_kit import NOW, lead, put_state, settings_of


def test_it_is_renewed_by_itself_and_says_so_when_it_cannot_be(store, store_url):
    clock = ManualClock(NOW)
    broken = []

    def give():
        if broken:
            raise OSError("the database hangs")
        return store

    publisher = StatusPublisher(settings_of(store_url), give, clock)

    def said():
        return json.loads(publisher.response("badge.json", "en").body)["message"]

    assert said() == "The state is not known right now"
    lead(store)
    put_state(store, "pg_main_01", Level.HEALTHY)
    put_state(store, "cards", Level.HEALTHY)
    publisher.start()
    try:
        wait_until(lambda: said() == "All systems work" and clock.waiting())
        put_state(store, "cards", Level.DOWN, NOW)
        lead(store, clock.now())
        clock.advance(EVERY)
        wait_until(lambda: said() == "Some systems are down" and clock.waiting())
        broken.append(True)
        clock.advance(STALE_AFTER - 1)
        wait_until(clock.waiting)
        assert said() == "Some systems are down"
        clock.advance(2)
        assert said() == "The state is not known right now"
        assert b"Nobody has looked lately" in publisher.response("html", "en").body
    finally:
        publisher.stop()
        wait_until(lambda: not clock.waiting())


@pytest.fixture
def rendered(monkeypatch):
    """The languages in which the page for people was rendered, one after another."""
    languages = []

    def spy(page, language, zone, real=html.html):
        languages.append((language, page.watched))
        return real(page, language, zone)

    monkeypatch.setattr(html, "html", spy)
    return languages


def test_a_form_is_rendered_when_it_is_asked_for_and_once_for_each_page(store, store_url, rendered):
    clock = ManualClock(NOW)
    publisher = StatusPublisher(settings_of(store_url), lambda: store, clock)
    lead(store)
    publisher.refresh()
    clock.advance(EVERY)
    publisher.refresh()
    assert rendered == []
    assert publisher.response("html", "en") is publisher.response("html", "en")
    assert rendered == [("en", True)]
    put_state(store, "cards", Level.DOWN, NOW)
    publisher.refresh()
    assert rendered == [("en", True)] * 2, "a reader of the page before waits for none"
    put_state(store, "cards", Level.HEALTHY)
    publisher.refresh()
    assert rendered == [("en", True)] * 2, "nobody asked for the one before"
    clock.advance(STALE_AFTER)
    assert b"Nobody has looked lately" in publisher.response("html", "en").body
    assert rendered[2:] == [("en", False)]


def test_where_nothing_has_changed_the_same_bytes_stay_and_are_fresh(store, store_url):
    clock = ManualClock(NOW)
    publisher = StatusPublisher(settings_of(store_url), lambda: store, clock)
    lead(store)

    def look(seconds):
        clock.advance(seconds)
        lead(store, clock.now())
        publisher.refresh()
        return publisher.response("json", "en")

    first = look(0)
    assert look(STALE_AFTER - 5) is first
    assert json.loads(first.body)["watched"]
    later = look(30)
    assert later is not first, "its time would be too old"
    clock.jump(timedelta(days=-1))
    assert json.loads(look(0).body)["at"].startswith("2026-01-19"), "a clock that was set back"
