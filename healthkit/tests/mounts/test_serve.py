"""`healthkit serve`, for what is no web service."""

import os
import signal
import subprocess
import sys

import pytest
import requests
from click.testing import CliRunner

from healthkit.cli import main
from healthkit.testing import wait_until


def test_serving_until_it_is_stopped(tmp_path, token):
    config = tmp_path / "healthkit.toml"
    config.write_text(
        '[service]\nname = "Shop"\n[store]\nurl = "sqlite:///x.db"\n[checks.nightly]\n'
        f'type = "heartbeat"\nevery = "1h"\ntoken = "{token}"\n'
    )
    command = [sys.executable, "-m", "healthkit", "serve", "--port", "0", "--config", config]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    try:
        address = process.stdout.readline().split()[-1]

        def nightly():
            return requests.get(address, timeout=60).json()["checks"]["nightly"]["status"]

        wait_until(lambda: nightly() == "healthy")
        assert requests.get(f"{address}z", timeout=60).status_code == 404
        assert requests.post(f"{address}/beat/{token}", timeout=60).status_code == 200
        metrics = address.replace("/health", "/metrics")
        assert requests.get(metrics, timeout=60).status_code == 200
        proxied = {"X-Forwarded-For": "203.0.113.9"}
        assert requests.get(metrics, headers=proxied, timeout=60).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
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
        ([], {"HEALTHKIT_TOKEN": "\udcff0a1k3z9cDq7hIjXlPnoEqrst"}, "is not UTF-8 text"),
        (["--host", "\udcff"], {}, "cannot listen at \\udcff:8008: no name of a host"),
        (["--host", ""], {}, "cannot listen at :8008: no name of a host"),
        (["--host", "a" * 64 + ".b"], {}, "cannot listen at "),
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
