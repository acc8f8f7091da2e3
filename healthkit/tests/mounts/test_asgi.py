"""The mount for ASGI: on the loop, in front of routing, and nothing but HTTP is taken."""

import asyncio
import contextlib
import threading

import pytest
import requests
from fastapi import FastAPI, WebSocket

from healthkit.testing import ScriptedCheck, wait_until
from healthkit.web import asgi


def test_forty_stuck_threads_do_not_stop_health(make_health, uvicorn_serves):
    """Starlette runs plain functions in a pool of forty threads; health needs none of them."""
    health, stuck, free = make_health(database=ScriptedCheck()), [], threading.Event()
    app = FastAPI()
    app.add_middleware(asgi.HealthMiddleware, health=health)

    @app.get("/stuck")
    def block():
        stuck.append(True)
        free.wait(60)

    with uvicorn_serves(app) as address:
        callers = [
            threading.Thread(
                target=requests.get, args=(f"{address}/stuck",), kwargs={"timeout": 60}
            )
            for _ in range(41)
        ]
        try:
            for caller in callers:
                caller.start()
            wait_until(lambda: len(stuck) == 40)
            assert requests.get(f"{address}/health", timeout=60).status_code == 200
            assert len(stuck) == 40, "the 41st waits for a thread"
        finally:
            free.set()
            for caller in callers:
                caller.join()


def test_lifespan_and_websockets_pass_through(make_health, uvicorn_serves):
    events = []

    @contextlib.asynccontextmanager
    async def lifespan(app):
        events.append("up")
        yield
        events.append("down")

    app = FastAPI(lifespan=lifespan)

    @app.websocket("/health")
    async def talk(socket: WebSocket):
        await socket.accept()
        await socket.send_text("ours")
        await socket.close()

    health = make_health(database=ScriptedCheck())
    mounted = asgi.HealthMiddleware(app, health)
    with uvicorn_serves(mounted):
        assert events == ["up"]
        assert not health.needs_start, "the checks start with the server"
    assert events == ["up", "down"]

    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message["type"])

    scope = {"type": "websocket", "path": "/health", "headers": [], "query_string": b""}
    scope |= {"root_path": "", "scheme": "ws", "subprotocols": [], "client": None, "server": None}
    asyncio.run(mounted(scope, receive, send))
    assert sent == ["websocket.accept", "websocket.send", "websocket.close"]


@pytest.mark.parametrize(
    ("root", "path", "within"),
    [
        ("", "/health", "/health"),
        ("/api", "/api/health", "/health"),  # as the specification and uvicorn have it
        ("/api", "/health", "/health"),  # as others have it
        ("/api/", "/api/health", "/health"),
        ("/api", "/apihealth", "/apihealth"),
        ("/api", "/api", "/"),
    ],
)
def test_the_path_is_taken_from_the_mount_on(root, path, within):
    scope = {"method": "GET", "root_path": root, "path": path, "headers": []}
    assert asgi.environ_of(scope)["PATH_INFO"] == within


def test_a_mounted_sub_application_has_its_own_health(settled, uvicorn_serves):
    outer = FastAPI()
    outer.mount("/shop", asgi.HealthMiddleware(FastAPI(), settled()))
    with uvicorn_serves(outer) as address:
        assert requests.get(f"{address}/shop/health", timeout=60).status_code == 200
        assert requests.get(f"{address}/health", timeout=60).status_code == 404
