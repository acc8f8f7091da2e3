"""The mount for ASGI (FastAPI, Starlette, Litestar): responds before routing, on the event loop.

    app.add_middleware(HealthMiddleware, health=health)    # or app = HealthMiddleware(app, health)

It needs no thread of the server's pool, so it responds while all of those are stuck.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from healthkit._health import Health
from healthkit.web._incoming import BODY
from healthkit.web._responder import Responder
from healthkit.web._steps import follow
from healthkit.web.access import SeesDetails

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]


class HealthMiddleware:
    """As `healthkit.web.wsgi.HealthMiddleware`, for applications of ASGI on asyncio.

    `sees_details` is given the request as a WSGI environ. The checks start with the server, or with
    the first request where the server announces no lifespan; what is no HTTP is passed on as it is.
    """

    def __init__(
        self,
        app: AsgiApplication,
        health: Health,
        paths: Mapping[str, str] | None = None,
        sees_details: SeesDetails | None = None,
    ) -> None:
        self._app = app
        self._responder = Responder(health, paths, sees_details)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for pause in self._responder.start():
                await asyncio.sleep(pause)
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        environ = environ_of(scope)
        if limit := self._responder.body_limit(environ):
            environ[BODY] = await _read_body(receive, limit)
        found = await follow(self._responder.respond(environ))
        if found is None:
            return await self._app(scope, receive, send)
        headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in found.headers]
        await send({"type": "http.response.start", "status": found.code, "headers": headers})
        return await send({"type": "http.response.body", "body": found.body})


def environ_of(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what WSGI would say of a request: method, path in the mount, query, peer, headers.

    Servers differ in whether `path` has `root_path` in front; both are understood.
    """
    root, path = scope.get("root_path", "").rstrip("/"), scope["path"]
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :] or "/"
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root,
        "PATH_INFO": path,
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.url_scheme": scope.get("scheme", "http"),
    }
    for name, value in scope["headers"]:
        key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """Returns what a request brings, up to a limit; None where its sender has gone before that."""
    body, more = b"", True
    while more and len(body) < limit:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body[:limit]
