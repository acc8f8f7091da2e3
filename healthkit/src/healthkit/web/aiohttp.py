"""The mount for aiohttp: a middleware in front of all others, and of the routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from healthkit._health import Health
from healthkit.web._incoming import BODY
from healthkit.web._responder import Responder
from healthkit.web._steps import follow
from healthkit.web.access import SeesDetails

try:
    from aiohttp import ClientPayloadError, web
    from aiohttp.http_exceptions import BadHttpMessage
except ModuleNotFoundError as error:
    raise ImportError(
        "healthkit.web.aiohttp needs aiohttp: pip install 'healthkit-core[aiohttp]'"
    ) from error

HEALTH: web.AppKey[Health] = web.AppKey("healthkit", Health)
"""Where the application keeps its Health: `app[HEALTH]`."""
_PATTERN = frozenset("{}")
"""What makes a pattern of aiohttp's of a path."""


def mount(
    app: web.Application,
    health: Health,
    paths: Mapping[str, str] | None = None,
    sees_details: SeesDetails | None = None,
) -> None:
    """Serves the health paths in front of `app`, the outermost application; `app[HEALTH]` is
    `health`. The checks start with the application.

    `sees_details` says who is answered with details (default: everybody); it is given the request
    as a WSGI environ. Raises RuntimeError when a Health is mounted already.
    """
    if HEALTH in app:
        raise RuntimeError("a Health is mounted on this application already; mount only one")
    app[HEALTH] = health
    responder = Responder(health, paths, sees_details)

    @web.middleware
    async def respond(request: web.Request, handler: Any) -> web.StreamResponse:
        environ = environ_of(request)
        if limit := responder.body_limit(environ):
            environ[BODY] = await _read_body(request, limit)
        found = await follow(responder.respond(environ))
        if found is None:
            answer: web.StreamResponse = await handler(request)
            return answer
        reason = found.status.partition(" ")[2]
        return web.Response(
            status=found.code, reason=reason, headers=list(found.headers), body=found.body
        )

    async def start(_: web.Application) -> AsyncIterator[None]:
        for pause in responder.start():
            await asyncio.sleep(pause)
        yield

    app.middlewares.insert(0, respond)
    app.cleanup_ctx.insert(0, start)
    for path in responder.fixed_paths:
        if path.startswith("/") and not _PATTERN & set(path):
            resource = _HealthPath(path)
            resource.add_route("*", _answered_before)
            app.router.register_resource(resource)


class _HealthPath(web.PlainResource):
    """Lets the router find a health path: one that it does not know costs it half as much again as
    all the rest of the request."""

    def raw_match(self, path: str) -> bool:
        """Keeps a route that the application adds to the same path from joining this one."""
        return False


async def _answered_before(_: web.Request) -> web.StreamResponse:
    """The route of a health path, which `respond` answers in front of all routes."""
    raise web.HTTPNotFound


def environ_of(request: web.Request) -> dict[str, Any]:
    """Returns what WSGI would say of a request: method, path, query, peer, headers."""
    environ = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "QUERY_STRING": request.rel_url.raw_query_string,
        "REMOTE_ADDR": request.remote or "",
        "wsgi.url_scheme": request.scheme,
    }
    for name, text in request.headers.items():
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


async def _read_body(request: web.Request, limit: int) -> bytes | None:
    """Returns what a request brings, up to a limit; None where it cannot be read, as what is not
    compressed in the way that it says."""
    body = b""
    try:
        while len(body) < limit and (part := await request.content.read(limit - len(body))):
            body += part
    except (BadHttpMessage, web.RequestPayloadError, ClientPayloadError, OSError):
        return None
    return body
