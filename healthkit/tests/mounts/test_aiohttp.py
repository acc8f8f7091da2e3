"""The mount for aiohttp: its routes beside those of the application."""

import requests
from aiohttp import web

from healthkit.testing import ScriptedCheck
from healthkit.web import aiohttp as mounted

from .conftest import on_aiohttp


async def own(request):
    return web.Response(text="of the application")


def test_an_application_with_routes_of_the_same_paths_keeps_its_others(make_health):
    app = web.Application()
    app.router.add_route("*", "/health", own)
    paths = {"/health": "json", "/ready{who}": "ready", "no-slash": "live"}
    mounted.mount(app, make_health(a=ScriptedCheck()), paths=paths)
    app.router.add_get("/health", own)
    app.router.add_route("*", "/ready{who}", own)
    app.router.add_get("/metrics", own)
    with on_aiohttp(app) as address:
        assert requests.get(f"{address}/health").headers["Content-Type"] == "application/json"
        assert requests.get(f"{address}/ready{{who}}").text != "of the application"
        assert requests.get(f"{address}/ready-for-it").text == "of the application"
        assert requests.get(f"{address}/metrics").text == "of the application"
        assert requests.get(f"{address}/no-such-path").status_code == 404
