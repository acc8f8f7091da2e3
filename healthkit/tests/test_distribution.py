"""healthkit as others get it: built, installed where nothing else is, and tested there."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


def run(*command, cwd=None):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
    done = subprocess.run(
        command, cwd=cwd, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.mark.deep
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_builds_installs_and_passes_its_own_tests_in_an_empty_environment(tmp_path):
    """Without PostgreSQL and its driver: tests that need them are skipped there."""
    pytest.importorskip("hatchling", reason="needs hatchling to build")
    run(sys.executable, "-m", "hatchling", "build", "-d", tmp_path / "dist", cwd=PROJECT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    (source,) = tmp_path.glob("healthkit_core-*")
    (source / "src").rename(tmp_path / "src-is-not-used")

    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-qq")
    groups = tomllib.loads((source / "pyproject.toml").read_text())["dependency-groups"]
    run(*pip, f"{wheel}[flask]", *groups["test"])
    listed = run(sys.executable, "-m", "pip", "--python", python, "list")
    assert "steak-kenangan-pos" not in listed
    assert "psycopg2" not in listed

    report = run(
        *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not (fault or slow or deep)"),
        "--hypothesis-profile=once",
        cwd=source,
    )
    passed = re.search(r"(\d+) passed", report)
    assert passed, report[-2000:]
    assert int(passed[1]) > 300
    assert "failed" not in report.splitlines()[-1]
