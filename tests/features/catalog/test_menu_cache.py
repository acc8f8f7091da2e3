"""The public menu from memory: every two seconds its version is asked for."""

from uuid import uuid4

import pytest

from healthkit.testing import ManualClock
from posapp.features.catalog.cache import MAX_AGE, MenuCache


class Source:
    """A menu that changes when it is told to, and counts what it is asked."""

    def __init__(self):
        self.asked = self.reads = 0
        self.change()

    def change(self):
        self.now = uuid4()

    def version(self):
        self.asked += 1
        return self.now

    def read(self, language):
        self.reads += 1
        return f"{language} {self.now}".encode()


@pytest.fixture
def source():
    return Source()


def test_within_two_seconds_nobody_is_asked(source):
    clock = ManualClock()
    cache = MenuCache(source, clock.monotonic)
    first = cache.get("id")
    clock.advance(MAX_AGE - 0.1)
    assert cache.get("id") is first
    assert (source.asked, source.reads) == (1, 1)


def test_after_two_seconds_the_version_is_asked_for_and_the_same_menu_is_not_read_again(source):
    clock = ManualClock()
    cache = MenuCache(source, clock.monotonic)
    first = cache.get("id")
    clock.advance(MAX_AGE)
    assert cache.get_if_fresh("id") is None
    again = cache.get("id")
    assert (again.body, again.etag) == (first.body, first.etag)
    assert (source.asked, source.reads) == (2, 1)
    assert cache.get_if_fresh("id") is again


def test_a_change_shows_within_two_seconds_in_each_language(source):
    clock = ManualClock()
    cache = MenuCache(source, clock.monotonic)
    before = {language: cache.get(language) for language in ("id", "en")}
    source.change()
    clock.advance(MAX_AGE)
    for language, old in before.items():
        page = cache.get(language)
        assert page.body == f"{language} {source.now}".encode()
        assert page.etag != old.etag


def test_without_an_answer_of_the_database_nothing_is_served(source):
    clock = ManualClock()
    cache = MenuCache(source, clock.monotonic)
    cache.get("id")
    clock.advance(MAX_AGE)

    def silent():
        raise ConnectionError

    source.version = silent
    with pytest.raises(ConnectionError):
        cache.get("id")
