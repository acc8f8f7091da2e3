"""Measures say what they say: our own time, routes by their names, a pool against its limit."""

import io
import json

import pytest
from prometheus_client import REGISTRY
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from healthkit.testing import ManualClock
from posapp.http import frontend
from posapp.http.body import RequestBodyMiddleware
from posapp.http.problems import unexpected
from posapp.observability import request_log
from posapp.observability.request_log import RequestLogMiddleware


class SlowBody(io.BytesIO):
    """A client that takes a second for each read."""

    def __init__(self, data, clock):
        super().__init__(data)
        self.clock = clock

    def read(self, size=-1):
        self.clock.advance(1)
        return super().read(size)


def counted(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_slow_client_is_not_our_slowness():
    clock = ManualClock()
    measures = {
        "posapp_http_request_duration_seconds_sum": {"method": "POST", "route": "/slow"},
        "posapp_http_client_seconds_total": {"route": "/slow"},
    }

    def application(environ, start_response):
        environ[request_log.ROUTE_KEY] = "/slow"
        clock.advance(0.1)
        while environ["wsgi.input"].read(2):
            clock.advance(0.05)
        start_response("200 OK", [])
        return [b"a", b"b"]

    wsgi = RequestBodyMiddleware(application, clock.monotonic)
    wsgi = RequestLogMiddleware(wsgi, unexpected, clock.monotonic)
    environ = EnvironBuilder(method="POST").get_environ()
    environ["wsgi.input"] = SlowBody(b"abcdef", clock)
    environ["CONTENT_LENGTH"] = "6"
    answer, _, _ = run_wsgi_app(wsgi, environ)
    for _ in answer:
        clock.advance(2)  # and takes what it gets as slowly
    answer.close()
    ours, clients = (counted(name, **labels) for name, labels in measures.items())
    assert ours == pytest.approx(0.1 + 3 * 0.05)
    assert clients == pytest.approx(1 + 2 * 2)


@pytest.fixture
def built(monkeypatch, tmp_path):
    """A front end that has been built."""
    (tmp_path / "assets").mkdir()
    for name in ("index.html", "icon.svg", "assets/index-abc.js"):
        (tmp_path / name).write_text("x")
    monkeypatch.setattr(frontend, "DIST", tmp_path)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/", "/<page>", 200),
        ("/orders/7/pay", "/<page>", 200),
        ("/icon.svg", "/<file>", 200),
        ("/assets/index-abc.js", "/assets/<file>", 200),
        ("/assets/gone.js", "unmatched", 404),
        ("/api/v1/gone", "unmatched", 404),
        ("/api/v1/orders/7", "/api/v1/orders/<int:order_id>", 401),
        ("/api/v1/public/menu", "/api/v1/public/menu", 200),
    ],
)
def test_each_answer_is_counted_by_what_it_was(app, path, route, status):
    labels = {"method": "GET", "route": route, "status": str(status)}
    before = counted("posapp_http_requests_total", **labels)
    assert Client(app).get(path, buffered=True).status_code == status
    assert counted("posapp_http_requests_total", **labels) == before + 1


def test_a_pool_is_measured_against_what_it_may_open(app):
    limit = counted("posapp_pool_limit_connections")
    assert limit == app.extensions["posapp.settings"].db_max_open_conns


@pytest.mark.parametrize("path", ["/api/v1/public/menu", "/api/v1/public/menu?lang=en"])
@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"other", W/{0}', '{0}, "other"', "*"])
def test_a_menu_that_has_not_changed_is_304_by_a_weak_tag_too(app, path, form):
    client = Client(app)
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": form.format(first.headers["ETag"])})
    assert again.status_code == 304
    assert again.data == b""
    for name in ("ETag", "Cache-Control", "X-Request-ID"):
        assert again.headers[name]
    assert again.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize("tag", ['"other"', 'W/"other"', "", "W/", '"'])
def test_another_tag_gets_the_menu(app, tag):
    answer = Client(app).get("/api/v1/public/menu", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert json.loads(answer.data)["categories"]
