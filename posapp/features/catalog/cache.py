"""The public menu as bytes, kept for a few seconds in each process.

Guests and monitors ask for it all the time. Every `MAX_AGE` seconds the database is asked for its
version, and it is never served without that: `/api/v1/public/menu` is also how operators see that
the API reaches its database. It is read again when the version is another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from posapp.features.catalog.schemas import Language

MAX_AGE = 2.0
"""Seconds until a change (sold out in one tap) shows everywhere."""

CACHEABLE = f"public, max-age={MAX_AGE:.0f}"
"""What a cache in between is told."""


@dataclass(frozen=True, slots=True)
class CachedMenu:
    version: UUID
    body: bytes
    etag: str
    fresh_until: float


class MenuSource(Protocol):
    """Where the menu comes from."""

    def version(self) -> UUID: ...

    def read(self, language: Language) -> bytes: ...


class MenuCache:
    """Asks `source` when what is at hand is too old by the clock `monotonic`."""

    def __init__(self, source: MenuSource, monotonic: Callable[[], float]) -> None:
        self._source = source
        self._monotonic = monotonic
        self._pages: dict[Language, CachedMenu] = {}

    def get_if_fresh(self, language: Language) -> CachedMenu | None:
        """The page at hand, unless it is too old."""
        page = self._pages.get(language)
        return page if page is not None and self._monotonic() < page.fresh_until else None

    def get(self, language: Language) -> CachedMenu:
        """The page at hand, read again when it is too old and has changed."""
        if (page := self.get_if_fresh(language)) is None:
            page = self._pages[language] = self._renew(language, self._pages.get(language))
        return page

    def _renew(self, language: Language, old: CachedMenu | None) -> CachedMenu:
        began = self._monotonic()
        version = self._source.version()  # first: what changes meanwhile has another
        if old is not None and old.version == version:
            return replace(old, fresh_until=began + MAX_AGE)
        body = self._source.read(language)
        etag = hashlib.sha256(body).hexdigest()[:20]
        return CachedMenu(version, body, etag, began + MAX_AGE)
