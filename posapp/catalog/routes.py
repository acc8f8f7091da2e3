"""`/api/v1/public/menu`."""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from flask_openapi3 import APIBlueprint, Tag

from posapp.api import DATABASE, public
from posapp.catalog import service
from posapp.catalog.cache import MAX_AGE, MenuCache
from posapp.catalog.schemas import Language, Menu, MenuQuery
from posapp.db import Database

CACHE = "posapp.menu"
api = APIBlueprint("catalog", __name__, abp_tags=[Tag(name="Menu")])


@api.get("/public/menu", summary="The menu", responses={200: Menu})
@public
def menu(query: MenuQuery) -> Response:
    """Cacheable: ask with `If-None-Match`, and an unchanged menu is 304."""
    cache: MenuCache = current_app.extensions[CACHE]
    page = cache.page(query.lang)
    response = Response(page.body, mimetype="application/json")
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE:.0f}"
    response.set_etag(page.etag)
    response.make_conditional(request)
    return response


def install(app: Flask) -> None:
    """Gives the application its menu cache."""
    database: Database = app.extensions[DATABASE]

    def read(language: Language) -> bytes:
        with database.transaction() as session:
            return service.menu(session, language).model_dump_json().encode()

    app.extensions[CACHE] = MenuCache(read)
