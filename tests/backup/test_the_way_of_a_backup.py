"""`posapp backup daily` goes through the files that docs/architecture.md names, and no other."""

import os
import re
import sys
import threading
from collections import Counter
from pathlib import Path

from click.testing import CliRunner

import posapp
import posapp.backup.cli  # it is loaded by its first command, and that is no step of a backup
from posapp.cli import main
from tests.backup.kit import ROOT, address

PRODUCT = Path(posapp.__file__).parent
SECTION = (
    (ROOT / "docs" / "architecture.md")
    .read_text()
    .split("\n## The way of a backup\n")[1]
    .split("\n## ")[0]
)
STEPS = re.findall(r"^\| `([\w/]+)` \|", SECTION, re.MULTILINE)
LEAVES = re.findall(r"`([\w/]+)`", SECTION.split("Leaves")[1].split("\n\n")[0])


class Way:
    """The files of posapp whose functions are called, in all threads, until it is left.

    What healthkit calls back while it loads its configuration (the POS's own plugin) is healthkit's
    way, not the backup's.
    """

    def __enter__(self):
        self.calls = Counter()
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *exception):
        sys.setprofile(None)
        threading.setprofile(None)

    def _profile(self, frame, event, _):
        code = frame.f_code
        if event == "call" and code.co_name != "<module>" and self._is_ours(code):
            caller = frame.f_back
            while caller is not None:
                if (
                    "healthkit" in caller.f_code.co_filename
                    and caller.f_code.co_name == "from_file"
                ):
                    return
                caller = caller.f_back
            path = Path(code.co_filename).relative_to(PRODUCT).with_suffix("")
            self.calls[path.as_posix()] += 1

    @staticmethod
    def _is_ours(code):
        return code.co_filename.startswith(f"{PRODUCT}{os.sep}")


def the_way(tmp_path, small, *arguments, **environ):
    environ = {
        "DATABASE_URL": address(small),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "BACKUP_LOG": str(tmp_path / "backup.log"),
        "HEALTHKIT_STORE": f"sqlite:///{tmp_path}/store.db",
        **environ,
    }
    with Way() as way:
        done = CliRunner(env=environ).invoke(main, list(arguments))
    assert done.exit_code == 0, done.output
    return way.calls


def test_a_daily_backup_goes_through_the_files_of_the_table_and_no_others(small, tmp_path, s3):
    way = the_way(tmp_path, small, "backup", "daily", **s3.environ)
    assert set(way) - set(LEAVES) == set(STEPS)
    assert set(LEAVES) <= set(way)


def test_the_table_has_fifteen_files_at_most():
    assert 0 < len(set(STEPS)) == len(STEPS) <= 15
