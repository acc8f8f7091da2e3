"""Pages may report their faults where VITE_SENTRY_DSN says, and nowhere else."""

import pytest

from posapp.app import create_api
from posapp.http import frontend
from posapp.settings import Settings

DSN = "https://a-key@errors.example:8443/7"


@pytest.fixture
def dist(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("<html><head><title>x</title></head></html>")
    monkeypatch.setattr(frontend, "DIST", tmp_path)


def page(tmp_path, **environ):
    settings = Settings.from_env({"POS_DATA_DIR": str(tmp_path / "data"), **environ})
    return create_api(settings).test_client().get("/orders/paid", buffered=True)


def test_with_a_dsn_pages_know_it_and_may_reach_its_host_alone(dist, tmp_path):
    answer = page(tmp_path, VITE_SENTRY_DSN=DSN)
    assert f'<meta name="sentry-dsn" content="{DSN}">' in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert policy.endswith("; connect-src 'self' https://errors.example:8443")


def test_without_one_they_reach_nobody_else(dist, tmp_path):
    answer = page(tmp_path)
    assert "sentry" not in answer.text
    assert "connect-src" not in answer.headers["Content-Security-Policy"]
