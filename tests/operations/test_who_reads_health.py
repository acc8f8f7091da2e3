"""Who reads the details of the POS's health, and its metrics."""

import pytest
from werkzeug.test import Client

from healthkit.testing import wait_until
from posapp.app import create_app
from posapp.database.schema import HEAD
from posapp.http.transactions import db
from posapp.settings import Settings
from tests.till import SECRET

TOKEN = "9c1e5a8d2460b7e9f1a3c5d802467f3b"
LOCAL = {"REMOTE_ADDR": "127.0.0.1"}
STRANGER = {"REMOTE_ADDR": "203.0.113.9"}
NEIGHBOUR = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}
VIEWS = (
    *("/health", "/api/v1/health", "/livez", "/readyz", "/startupz"),
    *("/health?format=health%2Bjson", "/health?format=text", "/health?format=prometheus"),
)


@pytest.fixture(scope="module", params=["0", "1"], ids=["direct", "behind a proxy"])
def pos(request, database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("health")
    environ = {"JWT_SECRET": SECRET, "POS_DATA_DIR": str(folder), "HEALTH_TOKEN": TOKEN}
    settings = Settings.from_env(environ | {"TRUSTED_PROXIES": request.param})
    app = create_app(settings, database)
    health = app.extensions["healthkit"]
    health.start(wait=10)
    wait_until(lambda: health.report().result("disk").outcome.details, 60)
    yield app
    health.stop()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def inside(database):
    """Words that are nobody's business."""
    return [str(database.query["host"]), "0004", "/backups", "SQLAlchemy", "psycopg2"]


@pytest.mark.parametrize("peer", [STRANGER, NEIGHBOUR], ids=["far away", "by a local proxy"])
def test_a_stranger_sees_contract_keys_and_no_host_path_or_error(pos, inside, peer):
    client = Client(pos)
    for view in VIEWS:
        text = client.get(view, environ_overrides=peer).text
        assert not [word for word in inside if word in text], view
        assert "/" not in text.replace("application/", "").replace("text/", ""), view
    body = client.get("/api/v1/health", environ_overrides=peer).json
    assert body["success"] is True
    assert body["data"]["database"] == "connected"
    assert body["data"]["tables"] > 10
    assert set(body["checks"]["database"]["connection_pool"]) == {"open", "in_use", "idle"}
    assert body["checks"]["api"]["uptime"]


def test_this_machine_and_the_token_see_the_details(pos):
    client = Client(pos)
    for options in (
        {"environ_overrides": LOCAL},
        {"headers": WITH_TOKEN, "environ_overrides": STRANGER},
    ):
        assert client.get("/health", **options).json["checks"]["migrations"]["revision"] == HEAD


@pytest.mark.parametrize("peer", [STRANGER, NEIGHBOUR], ids=["far away", "by a local proxy"])
def test_metrics_are_for_this_machine_and_for_the_token(pos, peer):
    client = Client(pos)
    refused = client.get("/metrics", environ_overrides=peer)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert client.get("/metrics", environ_overrides=LOCAL).status_code == 200
    answer = client.get("/metrics", environ_overrides=peer, headers=WITH_TOKEN)
    assert "healthkit_up" in answer.text


def test_a_proxy_cannot_be_made_to_say_loopback(pos):
    forged = STRANGER | {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}
    assert Client(pos).get("/metrics", environ_overrides=forged).status_code == 401


def test_the_document_and_its_page_are_a_setting(tmp_path, database):
    environ = {"JWT_SECRET": SECRET, "POS_DATA_DIR": str(tmp_path), "API_DOCS": "false"}
    app = create_app(Settings.from_env(environ), database)
    client = Client(app)
    for path in ("openapi.json", "docs", "swagger", "", "swagger/js/swagger-ui-bundle.js"):
        assert client.get(f"/api/v1/{path}").status_code == 404
    assert client.get("/api/v1/public/menu").status_code == 200
    app.extensions["healthkit"].stop()
    with app.app_context():
        db.engine.dispose()
