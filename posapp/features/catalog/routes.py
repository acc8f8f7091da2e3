"""`/api/v1/public/menu`."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Flask, Response, current_app, request

from posapp.features.catalog import service
from posapp.features.catalog.cache import CACHEABLE, MenuCache
from posapp.features.catalog.schemas import Language, Menu, MenuQuery
from posapp.http.access import public
from posapp.http.openapi import api_blueprint
from posapp.http.transactions import transaction

_CACHE = "posapp.menu"
api = api_blueprint("catalog", "Menu")


MENU = "/public/menu"


@api.get(MENU, summary="The menu", responses={200: Menu, 304: None})
@public
def get_menu(query: MenuQuery) -> Response:
    """Cacheable: ask with `If-None-Match`, and an unchanged menu is 304."""
    cache: MenuCache = current_app.extensions[_CACHE]
    page = cache.get(query.lang)
    # Weakly (RFC 9110, 13.1.2): a proxy that compresses makes W/"…" of what we sent.
    given = request.if_none_match
    unchanged = "If-None-Match" in request.headers and given.contains_weak(page.etag)
    headers = {"Cache-Control": CACHEABLE, "ETag": f'"{page.etag}"'}
    if unchanged:
        return Response(status=304, headers=headers)
    return Response(page.body, headers=headers, content_type="application/json")


def install(app: Flask, monotonic: Callable[[], float]) -> MenuCache:
    """Gives the application its menu cache on the clock `monotonic`, and returns it."""
    cache = app.extensions[_CACHE] = MenuCache(_Database(), monotonic)
    return cache


class _Database:
    def version(self) -> UUID:
        with transaction() as session:
            return service.terms_version(session)

    def read(self, language: Language) -> bytes:
        with transaction() as session:
            return service.menu(session, language).model_dump_json().encode()
