"""Keeps the status page in memory: read anew on a thread of its own, handed out as bytes.

Reading it takes no lock and asks no store, so it is there while the database hangs; then it says
that the state is not known, and since when.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from queue import Empty
from typing import Any
from zoneinfo import ZoneInfo

from healthkit import _threads
from healthkit._clock import Clock
from healthkit._config.settings import Settings
from healthkit._model.budgets import Budget
from healthkit._rendering import JSON, RenderedResponse, response
from healthkit._status import feeds, html
from healthkit._status.model import Component, ComponentState, PublicStatus
from healthkit._status.reading import Figures, Reader
from healthkit._status.words import Language
from healthkit._store.database import Store

log = logging.getLogger("healthkit")

PATHS: Mapping[str, str] = {
    "/status": "html",
    "/status.json": "json",
    "/status/feed.atom": "atom",
    "/status/badge.svg": "badge.svg",
    "/status/badge.json": "badge.json",
}
"""The form of each path."""

EVERY = 5.0
"""Seconds between two readings of what is so now."""
FIGURES_EVERY = 60.0
"""Seconds between two readings of uptimes, days and response times."""
STALE_AFTER = 60.0
"""Seconds after which a page that nobody renews says that nothing is known."""
LONGEST_UP = timedelta(minutes=1)
"""Time for which a page stays up that would differ in its time alone."""

Form = tuple[str, Language]


class StatusPublisher:
    """Reads the page of `settings` from the store, every few seconds once it is started; renders
    what is asked for, each form once for each page, and nothing where nothing has changed."""

    def __init__(self, settings: Settings, store: Callable[[], Store], clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._reader = Reader(settings)
        self._figures: Figures | None = None
        self._figures_at = 0.0
        self._fault = ""
        self._orders: Any = None
        self._put_up(self._reader.blank(clock.now()))
        _threads.call_after_fork(self._after_fork)

    @property
    def language(self) -> Language:
        """The one for whoever asks for none."""
        settings = self._settings
        return settings.status.language or settings.messages.language

    def response(self, form: str, language: Language | None = None) -> RenderedResponse:
        """Returns one of the forms in `PATHS`. Raises KeyError for another."""
        fresh = self._clock.monotonic() < self._fresh_until
        return (self._fresh if fresh else self._stale).response((form, language or self.language))

    def budgets(self) -> Mapping[str, Budget]:
        """Returns the budgets of objectives; none while nobody renews them: a figure that stands
        still would look like one that is measured."""
        fresh = self._clock.monotonic() < self._fresh_until
        return self._figures.budgets if fresh and self._figures is not None else {}

    def start(self) -> None:
        """Starts the thread, once in each process."""
        if self._orders is not None:
            return
        self._orders = orders = _threads.unpatched("queue", "SimpleQueue")()
        _threads.start_native_thread(lambda: self._run(orders))  # which may begin after a stop

    def stop(self) -> None:
        """Ends the thread after the reading in hand."""
        if self._orders is not None:
            self._orders.put(None)
            self._orders = None

    def _after_fork(self) -> None:
        self._orders = None  # the parent's thread is not here

    def _run(self, orders: Any) -> None:
        while True:
            self.refresh()
            with suppress(Empty):
                self._clock.receive(orders, EVERY)
                return

    def refresh(self) -> None:
        """Reads the store and renders. What fails is logged once; the page before stays, until it
        is stale."""
        try:
            self._publish(self._read())
            fault = ""
        except Exception as error:  # noqa: BLE001  whatever it is, the next reading may succeed
            fault = f"the status page cannot be renewed: {type(error).__name__}"
        if fault and fault != self._fault:
            log.warning("%s", fault)
        self._fault = fault

    def _read(self) -> PublicStatus:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        with self._store().reading() as connection:
            if self._figures is None or monotonic - self._figures_at >= FIGURES_EVERY:
                self._figures = self._reader.figures(connection, now)
                self._figures_at = monotonic
            return self._reader.page(connection, now, self._figures)

    def _publish(self, page: PublicStatus) -> None:
        """Puts up a page, unless it says what is up already: that one is only fresh again, until
        its time would be too old. Forms that readers of the one before asked for are made here, so
        that none of them waits for it."""
        up = self._fresh.page
        if page == replace(up, at=page.at) and abs(page.at - up.at) < LONGEST_UP:
            self._fresh_until = self._clock.monotonic() + STALE_AFTER
            return
        asked = self._fresh.asked
        self._put_up(page)
        for form in tuple(asked):
            self._fresh.render(form)

    def _put_up(self, page: PublicStatus) -> None:
        zone = self._settings.service.zone
        self._stale = _Rendition(_unknown(page), zone)
        self._fresh = _Rendition(page, zone)
        self._fresh_until = self._clock.monotonic() + STALE_AFTER


class _Rendition:
    """A page and its forms, each made when it is first wanted. Two readers who come at once may
    make one twice, and get the same bytes; there is no lock for them to wait at."""

    def __init__(self, page: PublicStatus, zone: ZoneInfo) -> None:
        self.page = page
        self.asked: set[Form] = set()
        self._zone = zone
        self._made: dict[Form, RenderedResponse] = {}

    def response(self, form: Form) -> RenderedResponse:
        """Raises KeyError for a form that is none."""
        found = self.render(form)
        self.asked.add(form)
        return found

    def render(self, form: Form) -> RenderedResponse:
        found = self._made.get(form)
        if found is None:
            name, language = form
            found = self._made[form] = _RENDERERS[name](self.page, language, self._zone)
        return found


def _html(page: PublicStatus, language: Language, zone: ZoneInfo) -> RenderedResponse:
    return _with(
        response(200, html.HTML, html.html(page, language, zone)),
        *(("Content-Security-Policy", html.policy()), ("Content-Language", language)),
    )


_RENDERERS: Mapping[str, Callable[[PublicStatus, Language, ZoneInfo], RenderedResponse]] = {
    "html": _html,
    "json": lambda page, _, __: response(200, JSON, feeds.status_json(page)),
    "atom": lambda page, said, _: response(200, feeds.ATOM, feeds.atom(page, said)),
    "badge.svg": lambda page, said, _: response(200, feeds.SVG, feeds.badge_svg(page, said)),
    "badge.json": lambda page, said, _: response(200, JSON, feeds.badge_json(page, said)),
}


def _with(rendered: RenderedResponse, *more: tuple[str, str]) -> RenderedResponse:
    return replace(rendered, headers=(*rendered.headers, *more))


def _unknown(page: PublicStatus) -> PublicStatus:
    """Returns the page as it is when nobody renews it: nothing is known of now."""

    def forget(one: Component) -> Component:
        planned = one.state is ComponentState.MAINTENANCE
        return one if planned else replace(one, state=ComponentState.UNKNOWN, since=None)

    return replace(page, watched=False, components=tuple(map(forget, page.components)))
