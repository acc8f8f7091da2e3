"""Every command of the runbook's chapters on logs, errors and incidents, as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.observability.sinks import sink

BIN = Path(sys.executable).parent
RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"
CHAPTERS = ("Logging and Debugging", "Error Tracking", "Incident Response")
REQUEST_ID = "550e8400-e29b-41d4-a716-446655440000"
FOLLOW = "tail -F var/log/gunicorn.log"


def blocks():
    text = RUNBOOK.read_text()
    for chapter in CHAPTERS:
        body = text.split(f"\n## {chapter}\n")[1].split("\n## ")[0]
        yield from re.findall(r"```bash\n(.*?)```", body, re.DOTALL)


BLOCKS = list(blocks())


@pytest.fixture(scope="module")
def place(need, serve, database, tmp_path_factory):
    """A folder like an operator's, with a server in it that has seen some traffic."""
    need("bash", "curl", "jq")
    with sink() as sentry, sink() as collector:
        served = serve(
            database,
            TRUSTED_PROXIES="1",
            SLOW_QUERY_MS="0",
            SLOW_QUERY_PLAN="true",
            SENTRY_DSN=f"http://key@{sentry.url}/1",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{collector.url}",
        )
        folder = tmp_path_factory.mktemp("operator")
        (folder / "var" / "log").mkdir(parents=True)
        (folder / "var" / "log" / "gunicorn.log").symlink_to(served.log)
        menu = f"{served.url}/api/v1/public/menu?lang=en"
        requests.get(
            menu,
            headers={"X-Request-ID": REQUEST_ID, "X-Forwarded-For": "192.168.1.100"},
            timeout=60,
        )
        requests.get(f"{served.url}/api/v1/error-test", timeout=60)
        served.line(status_code=500)
        yield served, folder, sentry


def run(place, block):
    """A block with `logs` as the first one defines it; the addresses are those of the test."""
    served, folder, sentry = place
    script = block.replace("http://127.0.0.1:8080", served.url)
    script = script.replace("https://sentry.io", f"http://{sentry.url}")
    script = script.replace(FOLLOW, f"timeout 1 {FOLLOW} || [ $? -eq 124 ]")
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{BLOCKS[0]}\n{script}"],
        cwd=folder,
        env={**os.environ, **served.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize("block", BLOCKS[1:], ids=lambda block: block.strip().splitlines()[0][:50])
def test_the_commands_work_and_find_something(place, block):
    done = run(place, block)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.strip()


COMMANDS = {
    line
    for block in BLOCKS
    for line in block.splitlines()
    if line.startswith("logs |") and "grep" not in line
}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_jq_example_runs_by_itself_on_a_real_log(place, command):
    done = run(place, "REQUEST=x\n" + command)
    assert done.returncode == 0, done.stderr
    slow_ones_or_another_request = "latency_ms >" in command or "$REQUEST" in command
    assert done.stdout.strip() or slow_ones_or_another_request


@pytest.mark.deep
def test_the_examples_find_what_they_say(place):
    errors = run(place, """logs | jq -c 'select(.level == "ERROR")'""").stdout.splitlines()
    assert errors
    assert all('"level":"ERROR"' in line for line in errors)
    assert "ErrorTest" in errors[0]
    found = run(place, f'logs | grep "{REQUEST_ID}"').stdout
    assert '"client_ip":"192.168.1.100"' in found
    assert "Slow database query" in found
    masked = run(place, next(block for block in BLOCKS if "Secret123" in block)).stdout
    assert "password=***MASKED***&token=***MASKED***" in masked
    assert "Secret123" not in masked
