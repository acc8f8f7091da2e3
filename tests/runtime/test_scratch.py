"""What a run needs meanwhile is removed, also what one that was killed has left."""

import subprocess
import sys
import tempfile

import pytest

from posapp.runtime.scratch import scratch_folder

HOLDING = """
import sys, time
from posapp.runtime.scratch import scratch_folder
with scratch_folder("posapp-test-") as folder:
    (folder / "server").mkdir()
    (folder / "server" / "data").write_text("much")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def fail(folder):
    (folder / "file").touch()
    assert folder.stat().st_mode & 0o077 == 0
    raise ValueError("failed")


def test_it_is_removed_afterwards_also_after_a_failure(temporary):
    with pytest.raises(ValueError, match="failed"), scratch_folder("posapp-test-") as folder:
        fail(folder)
    assert list(temporary.iterdir()) == []


def test_what_a_killed_run_has_left_goes_with_the_next_and_what_is_in_use_stays(temporary):
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING], stdin=pipe, stdout=pipe, text=True
    ) as run:
        used = temporary / run.stdout.readline().strip()
        with scratch_folder("posapp-test-") as mine:
            assert sorted(temporary.iterdir()) == sorted([used, mine])
        run.kill()
    assert (used / "server" / "data").is_file()
    (temporary / "posapp-test-file").touch()
    (temporary / "posapp-test-link").symlink_to(temporary)
    (temporary / "posapp-other").mkdir()
    with scratch_folder("posapp-test-"):
        assert not used.exists()
    left = {path.name for path in temporary.iterdir()}
    assert left == {"posapp-test-file", "posapp-test-link", "posapp-other"}
