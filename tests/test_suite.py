"""How the suite itself runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
HANGING = """
import signal, threading

def test_that_hangs():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})  # as what waits in C
    threading.Event().wait()

def test_that_comes_after_it():
    pass
"""


@pytest.mark.deep
@pytest.mark.slow
def test_a_test_that_no_signal_ends_is_named_with_where_it_hung_and_the_others_run_on(
    tmp_path: Path,
) -> None:
    (tmp_path / "conftest.py").write_bytes(CONFTEST.read_bytes())
    (tmp_path / "test_hanging.py").write_text(HANGING)
    command = [sys.executable, "-m", "pytest", "-n", "1", "--dist", "loadscope", "--timeout=1"]
    run = subprocess.run(
        [*command, "-p", "no:cacheprovider", "."],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 1
    assert "crashed while running 'test_hanging.py::test_that_hangs'" in run.stdout
    assert "1 failed, 1 passed" in run.stdout
    assert "in test_that_hangs" in run.stderr
