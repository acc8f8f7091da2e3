"""Real servers for applications of each kind, and every mount served by them."""

import asyncio
import contextlib
import socket
import threading
from datetime import timedelta

import django
import flask
import hypercorn.asyncio
import litestar
import pytest
import uvicorn
from aiohttp import web
from django.conf import settings as django_settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path as django_path
from fastapi import FastAPI
from waitress import wasyncore
from waitress.server import create_server

from healthkit import Outcome
from healthkit.testing import ScriptedCheck, wait_until
from healthkit.web import aiohttp as aiohttp_mount
from healthkit.web import asgi, wsgi
from healthkit.web import flask as flask_mount

TOKEN = "9c1e5a8d2460b7e9f1a3c5d802467f3b"


class Urls:
    """Django's URLs."""

    urlpatterns = (django_path("hello", lambda request: HttpResponse("hello")),)


if not django_settings.configured:
    django_settings.configure(
        ALLOWED_HOSTS=["shop.example"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": "/nowhere/at/all.sqlite3",
                "ATOMIC_REQUESTS": True,
            }
        },
        MIDDLEWARE=[
            "healthkit.web.django.HealthMiddleware",
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.common.CommonMiddleware",
        ],
        ROOT_URLCONF=Urls,
        SECRET_KEY=TOKEN,
        SECURE_SSL_REDIRECT=True,
    )
    django.setup()


@contextlib.contextmanager
def on_uvicorn(app, **options):
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def on_waitress(app):
    connections, over = {}, threading.Event()
    server = create_server(
        app, host="127.0.0.1", port=0, map=connections, clear_untrusted_proxy_headers=False
    )

    def serve():
        while not over.is_set():
            wasyncore.loop(timeout=0.05, map=connections, count=1)
        server.task_dispatcher.shutdown()
        wasyncore.close_all(connections)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def on_hypercorn(app):
    listening = socket.create_server(("127.0.0.1", 0))  # who connects before it serves, waits
    port = listening.getsockname()[1]
    config = hypercorn.Config.from_mapping(bind=[f"fd://{listening.detach()}"], loglevel="CRITICAL")
    loop, over = asyncio.new_event_loop(), asyncio.Event()
    serving = hypercorn.asyncio.serve(app, config, shutdown_trigger=over.wait)
    thread = threading.Thread(target=lambda: loop.run_until_complete(serving))
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@contextlib.contextmanager
def on_aiohttp(app):
    loop = asyncio.new_event_loop()
    ports, over = [], asyncio.Event()

    async def serve():
        runner = web.AppRunner(app, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        await over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        wait_until(lambda: ports)
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


@contextlib.contextmanager
def served_by_wsgi(health, rule):
    with on_waitress(wsgi.HealthMiddleware(hello, health, None, rule)) as address:
        yield address


@contextlib.contextmanager
def served_by_flask(health, rule):
    app = flask.Flask(__name__)
    app.route("/hello")(lambda: "hello")
    flask_mount.mount(app, health, sees_details=rule)
    with on_waitress(app) as address:
        yield address


def fastapi_app(health, rule=None):
    app = FastAPI()
    app.get("/hello")(lambda: "hello")
    app.add_middleware(asgi.HealthMiddleware, health=health, sees_details=rule)
    return app


@contextlib.contextmanager
def served_by_fastapi(health, rule):
    with on_uvicorn(fastapi_app(health, rule)) as address:
        yield address


def litestar_app(health, rule):
    @litestar.get("/hello", media_type="text/plain")
    async def say_hello() -> str:
        return "hello"

    return asgi.HealthMiddleware(litestar.Litestar([say_hello]), health, None, rule)


@contextlib.contextmanager
def served_by_litestar(health, rule):
    with on_uvicorn(litestar_app(health, rule)) as address:
        yield address


@contextlib.contextmanager
def served_by_litestar_on_hypercorn(health, rule):
    with on_hypercorn(litestar_app(health, rule)) as address:
        yield address


@contextlib.contextmanager
def served_by_django_wsgi(health, rule):
    with override_settings(HEALTHKIT_CONFIG=health, HEALTHKIT_SEES_DETAILS=rule):
        app = get_wsgi_application()
    with on_waitress(app) as address:
        yield address


@contextlib.contextmanager
def served_by_django_asgi(health, rule):
    with override_settings(HEALTHKIT_CONFIG=health, HEALTHKIT_SEES_DETAILS=rule):
        app = get_asgi_application()
    with on_uvicorn(app, lifespan="off") as address:
        yield address


@contextlib.contextmanager
def served_by_aiohttp(health, rule):
    app = web.Application()

    async def say_hello(request):
        return web.Response(text="hello")

    app.router.add_get("/hello", say_hello)
    aiohttp_mount.mount(app, health, sees_details=rule)
    with on_aiohttp(app) as address:
        yield address


SERVED = {
    "wsgi": served_by_wsgi,
    "flask": served_by_flask,
    "fastapi": served_by_fastapi,
    "litestar": served_by_litestar,
    "hypercorn": served_by_litestar_on_hypercorn,
    "django-wsgi": served_by_django_wsgi,
    "django-asgi": served_by_django_asgi,
    "aiohttp": served_by_aiohttp,
}


@pytest.fixture(params=SERVED)
def mount(request):
    """`with mount(health, rule) as address`: a health in front of an application, by a server."""
    return SERVED[request.param]


@pytest.fixture
def redirects_to_tls(mount):
    return mount in (served_by_django_wsgi, served_by_django_asgi)


@pytest.fixture
def uvicorn_serves():
    """`with uvicorn_serves(app) as address`."""
    return on_uvicorn


@pytest.fixture
def token():
    return TOKEN


@pytest.fixture
def says_hello():
    """A bare application of WSGI."""
    return hello


@pytest.fixture
def settled(make_health):
    """`settled(outcome)`: a Health whose bytes no longer change; its checks have run and are
    stopped."""

    def make(outcome=Outcome.healthy):
        rarely = {"interval": timedelta(hours=1)}
        health = make_health(database=(ScriptedCheck(outcome=outcome), rarely))
        health.start(wait=10)
        health.stop()
        return health

    return make
