"""`/api/v1/public/menu` and what is sold out of it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Flask, Response, current_app, request

from posapp.features.catalog import service
from posapp.features.catalog.cache import CACHEABLE, MenuCache
from posapp.features.catalog.schemas import Availability, Language, Menu, MenuQuery, ProductPath
from posapp.http.access import current_user, public, require_roles
from posapp.http.openapi import api_blueprint
from posapp.http.request_time import request_time
from posapp.http.responses import model_response
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


@api.put(
    "/products/<int:product_id>/availability",
    summary="Mark a product sold out, or back",
    responses={200: Availability},
)
@require_roles("admin", "manager", "kitchen")
def set_availability(path: ProductPath, body: Availability) -> Response:
    """Every till shows it within seconds, and nobody can send it meanwhile."""
    now, user_id = request_time(), current_user().id
    with transaction() as session:
        service.set_available(session, path.product_id, body.available, user_id, now)
    return model_response(body)


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
