"""A network that loses, refuses and comes back, as a test wants it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from playwright.sync_api import Error, Page, Response, Route

Fate = Callable[[Route], object]


def passes(route: Route) -> None:
    route.continue_()


def refused(route: Route) -> None:
    """Never reaches the server."""
    route.abort()


def lost(route: Route) -> None:
    """The server gets the request and carries it out; its answer never arrives."""
    route.fetch()
    route.abort()


def lost_once() -> Fate:
    """The server carries out what comes first; whatever is sent again never reaches it."""
    fates = iter([lost])
    return lambda route: next(fates, refused)(route)


class Network:
    """What becomes of a page's requests to one address, from now on.

    There is one route for the whole test: one that is taken out while it handles a request lets
    that go on to the server as well, and the test meets an answer that it never asked for."""

    def __init__(self, page: Page, address: str, fate: Fate) -> None:
        self.fate = fate
        page.route(address, self._handle)

    def _handle(self, route: Route) -> None:
        with suppress(Error):  # the page has given up meanwhile, or has gone
            self.fate(route)

    def comes_back(self) -> None:
        self.fate = passes


def is_replay(answer: Response) -> bool:
    """Whether the server says that it has done this before."""
    return answer.headers.get("idempotency-replayed") == "true"
