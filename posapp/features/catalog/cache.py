"""The public menu as bytes, kept for a few seconds in each process.

Guests and monitors ask for it all the time. It is read again every `MAX_AGE` seconds, and never
served older: `/api/v1/public/menu` is also how operators see that the API reaches its database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from posapp.features.catalog.schemas import Language

MAX_AGE = 2.0
"""Seconds until a change (sold out in one tap) shows everywhere."""

CACHEABLE = f"public, max-age={MAX_AGE:.0f}"
"""What a cache in between is told."""


@dataclass(frozen=True, slots=True)
class CachedMenu:
    body: bytes
    etag: str
    fresh_until: float


class MenuCache:
    """`read(language)` gives the bytes when those at hand are too old by the clock `monotonic`."""

    def __init__(self, read: Callable[[Language], bytes], monotonic: Callable[[], float]) -> None:
        self._read = read
        self._monotonic = monotonic
        self._pages: dict[Language, CachedMenu] = {}

    def get_if_fresh(self, language: Language) -> CachedMenu | None:
        """The page at hand, unless it is too old."""
        page = self._pages.get(language)
        return page if page is not None and self._monotonic() < page.fresh_until else None

    def get(self, language: Language) -> CachedMenu:
        """The page at hand, read again when it is too old."""
        if (page := self.get_if_fresh(language)) is None:
            began = self._monotonic()
            body = self._read(language)
            etag = hashlib.sha256(body).hexdigest()[:20]
            page = self._pages[language] = CachedMenu(body, etag, began + MAX_AGE)
        return page
