"""The public menu before Flask is asked: what guests and monitors fetch all day lies ready.

Anything but the plain request for a fresh page goes on to the route."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from posapp.features.catalog.cache import CACHEABLE, MenuCache
from posapp.features.catalog.schemas import Language
from posapp.observability.request_log import ROUTE_KEY, Application, Environ

_QUERIES: Mapping[str, Language] = {"": "id", "lang=id": "id", "lang=en": "en"}


class CachedMenuMiddleware:
    """WSGI middleware for the menu at `path`."""

    def __init__(self, app: Application, cache: MenuCache, path: str) -> None:
        self._app = app
        self._cache = cache
        self._path = path

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != self._path or environ["REQUEST_METHOD"] != "GET":
            return self._app(environ, start_response)
        language = _QUERIES.get(environ["QUERY_STRING"])
        page = self._cache.get_if_fresh(language) if language else None
        if page is None or "HTTP_IF_NONE_MATCH" in environ:
            return self._app(environ, start_response)
        environ[ROUTE_KEY] = self._path
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(page.body))),
            ("Cache-Control", CACHEABLE),
            ("ETag", f'"{page.etag}"'),
        ]
        start_response("200 OK", headers)
        return [page.body]
