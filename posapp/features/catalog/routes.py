"""`/api/v1/public/menu`."""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from flask_openapi3 import APIBlueprint, Tag

from posapp.database.engine import Database
from posapp.features.catalog import service
from posapp.features.catalog.cache import CACHEABLE, MenuCache
from posapp.features.catalog.schemas import Language, Menu, MenuQuery
from posapp.http.access import public
from posapp.http.transactions import DATABASE

CACHE = "posapp.menu"
api = APIBlueprint("catalog", __name__, abp_tags=[Tag(name="Menu")])


MENU = "/public/menu"


@api.get(MENU, summary="The menu", responses={200: Menu})
@public
def menu(query: MenuQuery) -> Response:
    """Cacheable: ask with `If-None-Match`, and an unchanged menu is 304."""
    cache: MenuCache = current_app.extensions[CACHE]
    page = cache.page(query.lang)
    unchanged = "If-None-Match" in request.headers and page.etag in request.if_none_match
    headers = {"Cache-Control": CACHEABLE, "ETag": f'"{page.etag}"'}
    if unchanged:
        return Response(status=304, headers=headers)
    return Response(page.body, headers=headers, content_type="application/json")


def install(app: Flask) -> None:
    """Gives the application its menu cache."""
    database: Database = app.extensions[DATABASE]

    def read(language: Language) -> bytes:
        with database.transaction() as session:
            return service.menu(session, language).model_dump_json().encode()

    app.extensions[CACHE] = MenuCache(read)
