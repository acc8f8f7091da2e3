"""Applications of each framework with the mount: `/health` from memory, `/bare` as many bytes
by the framework alone, `/checked` with a check of the database for each request, `/hello` without.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.health_apps import BODY

HELLO = b"hello"
TYPE = "application/json"


def _health() -> Any:
    from healthkit import Health

    return Health.from_file(os.environ["HEALTHKIT_CONFIG"])


class Checker:
    """The check that most services have: `SELECT 1` on a pooled connection."""

    def __init__(self) -> None:
        from sqlalchemy import create_engine

        self._engine = create_engine(os.environ["DATABASE_URL"], pool_size=10, max_overflow=15)

    def ask(self) -> bytes:
        from sqlalchemy import text

        with self._engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        return BODY


def wsgi() -> Any:
    from healthkit.web.wsgi import HealthMiddleware

    checker = Checker()
    routes = {"/bare": lambda: BODY, "/checked": checker.ask, "/hello": lambda: HELLO}

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        body = routes[environ["PATH_INFO"]]()
        length = ("Content-Length", str(len(body)))
        start_response("200 OK", [("Content-Type", TYPE), length])
        return [body]

    return HealthMiddleware(application, _health())


def flask() -> Any:
    from flask import Flask, Response

    from healthkit.web.flask import mount

    app, checker = Flask(__name__), Checker()
    app.add_url_rule("/bare", "bare", lambda: Response(BODY, mimetype=TYPE))
    app.add_url_rule("/checked", "checked", lambda: Response(checker.ask(), mimetype=TYPE))
    app.add_url_rule("/hello", "hello", lambda: Response(HELLO))
    mount(app, _health())
    return app


def fastapi() -> Any:
    from fastapi import FastAPI, Response

    from healthkit.web.asgi import HealthMiddleware

    app, checker = FastAPI(), Checker()

    @app.get("/bare")
    async def bare() -> Response:
        return Response(BODY, media_type=TYPE)

    @app.get("/checked")
    def checked() -> Response:  # in the pool of threads, as such a check is written
        return Response(checker.ask(), media_type=TYPE)

    @app.get("/hello")
    def hello() -> Response:
        return Response(HELLO)

    app.add_middleware(HealthMiddleware, health=_health())
    return app


def django() -> Any:
    import django as framework
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    settings.configure(
        SECRET_KEY="benchmark",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="benchmarks.mount_urls",
        MIDDLEWARE=["healthkit.web.django.HealthMiddleware"],
        HEALTHKIT_CONFIG=os.environ["HEALTHKIT_CONFIG"],
    )
    framework.setup()
    return get_wsgi_application()


def aiohttp(arguments: Sequence[str]) -> Any:
    from aiohttp import web

    from healthkit.web.aiohttp import mount

    logging.disable(logging.INFO)  # a line for each request
    app, checker = web.Application(), Checker()

    async def bare(request: web.Request) -> web.Response:
        return web.Response(body=BODY, content_type=TYPE)

    async def checked(request: web.Request) -> web.Response:
        body = await asyncio.to_thread(checker.ask)
        return web.Response(body=body, content_type=TYPE)

    async def hello(request: web.Request) -> web.Response:
        return web.Response(body=await asyncio.to_thread(lambda: HELLO))

    for path, handler in (("/bare", bare), ("/checked", checked), ("/hello", hello)):
        app.router.add_get(path, handler)
    mount(app, _health())
    return app
