"""Every mount under its real server: the same bytes, in front of everything else."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import django
import flask
import pytest
import requests
import uvicorn
from aiohttp import web
from click.testing import CliRunner
from django.conf import settings as django_settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path as django_path
from fastapi import FastAPI, WebSocket
from waitress import wasyncore
from waitress.server import create_server
from werkzeug.test import Client

from healthkit import (
    CheckInfo,
    ConfigError,
    Event,
    EventKind,
    Health,
    LinkSettings,
    Outcome,
    load_settings,
)
from healthkit._alerts import links
from healthkit._builtin import Heartbeat
from healthkit._config.groups import group_path
from healthkit._model.alerts import Level
from healthkit._store import incidents
from healthkit.cli import main
from healthkit.testing import ScriptedCheck, wait_until
from healthkit.web import aiohttp as aiohttp_mount
from healthkit.web import asgi, wsgi
from healthkit.web import django as django_mount
from healthkit.web import flask as flask_mount
from healthkit.web.access import local_or_token

TOKEN = "9c1e5a8d2460b7e9f1a3c5d802467f3b"
urlpatterns = [django_path("hello", lambda request: HttpResponse("hello"))]

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
        ROOT_URLCONF=__name__,
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
    "django-wsgi": served_by_django_wsgi,
    "django-asgi": served_by_django_asgi,
    "aiohttp": served_by_aiohttp,
}


@pytest.fixture(params=SERVED)
def mount(request):
    return SERVED[request.param]


def make(make_health, outcome=Outcome.healthy):
    """A Health whose bytes no longer change: its checks have run and are stopped."""
    rarely = {"interval": timedelta(hours=1)}
    health = make_health(database=(ScriptedCheck(outcome=outcome), rarely))
    health.start(wait=10)
    health.stop()
    return health


def test_every_mount_hands_out_the_same_bytes_under_its_server(make_health, mount):
    unhealthy = make(make_health, lambda: Outcome.unhealthy("db-7.internal is gone"))
    with mount(unhealthy, local_or_token(TOKEN)) as address, requests.Session() as session:
        for path, renderer in wsgi.PATHS.items():
            expected = unhealthy.response(renderer)
            given = {"X-Request-ID": "a-1"}
            answer = session.get(address + path, headers=given, timeout=20)
            assert (answer.status_code, answer.content) == (expected.code, expected.body), path
            assert answer.headers["X-Request-ID"] == "a-1"
            assert {k: answer.headers[k] for k, _ in expected.headers} == dict(expected.headers)
            head = session.head(address + path, timeout=20)
            assert (head.status_code, head.content) == (expected.code, b""), path
            assert head.headers["Content-Length"] == str(len(expected.body))
            refused = session.post(address + path, timeout=20)
            assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
        proxied = {"X-Forwarded-For": "203.0.113.9"}
        stranger = session.get(f"{address}/health", headers=proxied, timeout=20)
        assert stranger.content == unhealthy.response("json", details=False).body
        assert session.get(f"{address}/metrics", headers=proxied, timeout=20).status_code == 401
        known = {**proxied, "Authorization": f"Bearer {TOKEN}"}
        assert b"db-7" in session.get(f"{address}/health", headers=known, timeout=20).content
        text = session.get(f"{address}/health?format=text", timeout=20)
        assert text.content == unhealthy.response("plain").body


def test_every_mount_leaves_other_paths_to_the_application(make_health, mount):
    with mount(make(make_health), None) as address:
        host = {"Host": "shop.example"}
        answer = requests.get(f"{address}/hello", headers=host, timeout=20, allow_redirects=False)
        if mount in (served_by_django_wsgi, served_by_django_asgi):
            assert answer.status_code == 301, "its own redirect to TLS"
        else:
            assert (answer.status_code, answer.text.strip('"')) == (200, "hello")


def test_every_mount_takes_a_heartbeat(make_health, mount):
    health = make_health(nightly=Heartbeat(every="1h", token=TOKEN))
    with mount(health, None) as address:
        assert requests.post(f"{address}/health/beat/{TOKEN}", timeout=20).status_code == 200
        assert requests.post(f"{address}/health/beat/x", timeout=20).status_code == 404
        assert health.last_beat("nightly") is not None
        told = requests.post(f"{address}/health/beat/{TOKEN}/3", data=b"x" * 30_000, timeout=20)
        assert told.status_code == 200
        assert requests.post(f"{address}/health/beat/{TOKEN}/log", data="no", timeout=20).ok
    assert (health.last_run("nightly").code, health.last_run("nightly").text) == (3, "no")


def test_every_mount_follows_a_link_of_a_message(make_health, mount):
    health = make_health(database=ScriptedCheck())
    on = LinkSettings(url="https://pos.example", secret=TOKEN)
    health.settings = health.settings.model_copy(update={"links": on})
    down, now = Outcome.unhealthy("x"), health.now()
    made = Event(EventKind.DOWN, CheckInfo("database", "Database"), now, down, incident=1)
    path = links.address(made, "people", 1, on).removeprefix("https://pos.example")
    with health.store.transaction() as connection:
        incidents.open_incident(connection, made.check, Level.DOWN, "x", made.at)
    with mount(health, None) as address:
        assert "incident 1" in requests.get(f"{address}{path}", timeout=20).text
        given = {"data": {"act": "acknowledge"}, "timeout": 20}
        assert requests.post(f"{address}{path}", **given).status_code == 200
        assert requests.post(f"{address}{path}", **given).status_code == 409
    with health.store.reading() as connection:
        assert incidents.latest(connection, 1)[0].acknowledged_by == "link in people"


def test_every_mount_starts_the_checks_and_waits_for_their_first_results(make_health, mount):
    health = make_health(database=ScriptedCheck())
    with mount(health, None) as address:
        answer = requests.get(f"{address}/health", timeout=20)
        assert answer.json()["checks"]["database"]["status"] == "healthy"


# ASGI


def test_forty_stuck_threads_do_not_stop_health(make_health):
    """Starlette runs plain functions in a pool of forty threads; health needs none of them."""
    health, stuck, free = make_health(database=ScriptedCheck()), [], threading.Event()
    app = fastapi_app(health)

    @app.get("/stuck")
    def block():
        stuck.append(True)
        free.wait(60)

    with on_uvicorn(app) as address:
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
            assert requests.get(f"{address}/health", timeout=20).status_code == 200
            assert len(stuck) == 40, "the 41st waits for a thread"
        finally:
            free.set()
            for caller in callers:
                caller.join()


def test_lifespan_and_websockets_pass_through(make_health):
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
    with on_uvicorn(mounted):
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


def test_a_mounted_sub_application_has_its_own_health(make_health):
    outer = FastAPI()
    outer.mount("/shop", asgi.HealthMiddleware(FastAPI(), make(make_health)))
    with on_uvicorn(outer) as address:
        assert requests.get(f"{address}/shop/health", timeout=20).status_code == 200
        assert requests.get(f"{address}/health", timeout=20).status_code == 404


# Django


def test_django_is_told_what_is_missing_or_wrong(tmp_path):
    config = tmp_path / "healthkit.toml"
    config.write_text('[service]\nname = "Shop"\n[statsu]\n')
    for setting, said in [(None, "HEALTHKIT_CONFIG is not set"), (config, "did you mean status")]:
        with (
            override_settings(HEALTHKIT_CONFIG=setting),
            pytest.raises(ImproperlyConfigured, match=said),
        ):
            get_wsgi_application()


@pytest.mark.parametrize("kind", ["file", "document"])
def test_django_reads_its_configuration_from_its_settings(tmp_path, kind):
    document = {"service": {"name": "Shop", "version": "7"}}
    config = tmp_path / "healthkit.toml"
    config.write_text('[service]\nname = "Shop"\nversion = "7"\n')
    with override_settings(HEALTHKIT_CONFIG=config if kind == "file" else document):
        health = django_mount.health()
        assert health is django_mount.health(), "one in a process"
        assert json.loads(health.response().body)["version"] == "7"


# Parts


@pytest.fixture
def parted():
    """Two groups and one check outside them, with the rule of each."""

    def settings(bad=(), rules=None):
        document = {
            "service": {"name": "Shop"},
            "checks": {
                name: {"type": "heartbeat", "every": "1h", "role": role, **more}
                for name, role, more in [
                    ("till", "required", {"group": "Front of house"}),
                    ("screen", "advisory", {"group": "Front of house"}),
                    ("backup", "advisory", {"group": "Backups"}),
                    ("copy", "advisory", {"group": "Backups"}),
                    ("alone", "advisory", {}),
                ]
            },
            "groups": {name: {"fails": rule} for name, rule in (rules or {}).items()},
        }
        found = load_settings(document)
        checks = [
            one.model_copy(
                update={
                    "check": ScriptedCheck(
                        outcome=(lambda: Outcome.unhealthy("gone"))
                        if one.info.name in bad
                        else Outcome.healthy
                    )
                }
            )
            for one in found.checks
        ]
        return found.model_copy(update={"checks": tuple(checks)})

    return settings


@pytest.mark.parametrize(
    ("bad", "rules", "path", "code"),
    [
        ((), {}, "/health/front-of-house", 200),
        (("till",), {}, "/health/front-of-house", 503),
        (("screen",), {}, "/health/front-of-house", 200),
        (("till",), {}, "/health/backups", 200),
        (("backup", "copy"), {}, "/health/backups", 200),
        (("backup",), {"backups": "any"}, "/health/backups", 503),
        (("backup",), {"backups": "all"}, "/health/backups", 200),
        (("backup", "copy"), {"backups": "all"}, "/health/backups", 503),
        (("alone",), {}, "/health/check/alone", 503),
        (("alone",), {}, "/health", 200),
        (("till",), {}, "/health/check/alone", 200),
    ],
)
def test_a_group_and_a_check_have_a_path_and_a_rule_of_their_own(parted, bad, rules, path, code):
    health = Health(parted(bad, rules))
    health.check_once()
    client = Client(wsgi.HealthMiddleware(hello, health))
    answer = client.get(path)
    assert answer.status_code == code
    assert client.head(path).status_code == code
    assert client.post(path).status_code == 405
    shown = set(answer.json["checks"]) - {"api"}
    everything = {"till", "screen", "backup", "copy", "alone"}
    assert (
        shown
        == {
            "/health/front-of-house": {"till", "screen"},
            "/health/backups": {"backup", "copy"},
            "/health/check/alone": {"alone"},
            "/health": everything,
        }[path]
    )
    assert answer.json["status"] == ("unhealthy" if code == 503 else answer.json["status"])
    assert "till" not in client.get("/health/backups?format=text").text


@pytest.mark.parametrize(
    ("more", "key", "said"),
    [
        ({"groups": {"frnt": {}}}, "groups.frnt", "did you mean front"),
        ({"groups": {"front": {"fails": "some"}}}, "groups.front.fails", "required"),
        ({"groups": {"front": {"checks": []}}}, "groups.front.checks", "unknown key"),
        ({"group": "Beat"}, "checks.till.group", "taken"),
        ({"group": "check!"}, "checks.till.group", "taken"),
    ],
)
def test_a_mistake_in_a_group_is_named(more, key, said):
    check = {"type": "heartbeat", "every": "1h", "group": more.get("group", "Front")}
    document = {"service": {"name": "Shop"}, "checks": {"till": check}}
    if "groups" in more:
        document["groups"] = more["groups"]
    with pytest.raises(ConfigError) as raised:
        load_settings(document)
    (problem,) = (one for one in raised.value.problems if one.key == key)
    assert said in problem.message


@pytest.mark.parametrize(
    ("group", "path"),
    [
        ("Front of house", "front-of-house"),
        ("  Küche & Bar_2 ", "kuche-bar-2"),
        ("../x", "x"),
        ("厨房", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_group_has_a_name_that_any_path_can_hold(group, path):
    assert group_path(group) == path


def test_no_name_of_a_check_or_a_group_reaches_further_than_it_should(parted):
    client = Client(wsgi.HealthMiddleware(hello, Health(parted())))
    assert client.get("/health/check/none").status_code == 404
    for others in ("/health/", "/health/none", "/health/alone", "/health/check", "/health/x/y"):
        assert client.get(others).text == "hello", "it is the application's"
    renamed = Client(wsgi.HealthMiddleware(hello, Health(parted()), {"/z": "plain"}))
    assert renamed.get("/health/backups").text == "hello"
    strangers = wsgi.HealthMiddleware(hello, Health(parted()), None, lambda environ: False)
    refused = Client(strangers).get("/health/backups?format=prometheus")
    assert refused.status_code == 401


# healthkit serve


def test_serving_until_it_is_stopped(tmp_path):
    config = tmp_path / "healthkit.toml"
    config.write_text(
        '[service]\nname = "Shop"\n[store]\nurl = "sqlite:///x.db"\n[checks.nightly]\n'
        f'type = "heartbeat"\nevery = "1h"\ntoken = "{TOKEN}"\n'
    )
    command = [sys.executable, "-m", "healthkit", "serve", "--port", "0", "--config", config]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    try:
        address = process.stdout.readline().split()[-1]
        assert requests.get(address, timeout=20).json()["checks"]["nightly"]["status"] == "healthy"
        assert requests.get(f"{address}z", timeout=20).status_code == 404
        assert requests.post(f"{address}/beat/{TOKEN}", timeout=20).status_code == 200
        metrics = address.replace("/health", "/metrics")
        assert requests.get(metrics, timeout=20).status_code == 200
        proxied = {"X-Forwarded-For": "203.0.113.9"}
        assert requests.get(metrics, headers=proxied, timeout=20).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(
    ("options", "environ", "said"),
    [
        (["--port", "70000"], {}, "70000 is not in the range"),
        (["--host", "203.0.113.9"], {}, "cannot listen at 203.0.113.9"),
        ([], {"HEALTHKIT_TOKEN": "secret"}, "too short, at least 128 bits; make one with"),
        (["--config", "none.toml"], {}, "none.toml"),
    ],
)
def test_what_keeps_it_from_serving_is_said_in_one_line(tmp_path, options, environ, said):
    config = tmp_path / "healthkit.toml"
    config.write_text('[service]\nname = "Shop"\n')
    run = CliRunner().invoke(main, ["serve", "--config", str(config), *options], env=environ)
    assert run.exit_code == 2
    assert said in run.output
    assert "Traceback" not in run.output
    assert "secret" not in run.output
