"""Long commands say how far they are, and about how long it will take."""

import io
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.backup.context import RunLog
from posapp.backup.progress import bar, describe
from tests.backup.kit import Clock, context_on, make, restore

MB = 1_000_000


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [
        (135 * MB, 300 * MB, 6.75, "45 %, 135.0 MB of 300.0 MB, 20.0 MB/s, about 8s left"),
        (135 * MB, None, 6.75, "135.0 MB, 20.0 MB/s"),
        (310 * MB, 300 * MB, 10, "310.0 MB, 31.0 MB/s"),
        (0, 300 * MB, 0.0, "0 %, 0 B of 300.0 MB, 0 B/s"),
        (300 * MB, 300 * MB, 10, "100 %, 300.0 MB of 300.0 MB, 30.0 MB/s, about 0s left"),
    ],
)
def test_it_is_said_in_words(done, total, seconds, text):
    assert describe(done, total, seconds) == text


@given(done=st.integers(0, 1 << 50), total=st.none() | st.integers(0, 1 << 50), s=st.floats(0, 1e9))
def test_whatever_the_numbers_there_is_a_text_and_a_bar_of_one_width(done, total, s):
    assert describe(done, total, s)
    assert len(bar(done, total)) in (0, 23)


class Ticking(Clock):
    """So many seconds go by between two looks at it."""

    step = 1.0
    ticks = 0.0

    def monotonic(self):
        self.ticks += self.step
        return self.ticks


def test_without_a_terminal_there_is_a_line_each_half_minute(tmp_path, capsys):
    log = RunLog(tmp_path / "log", Ticking())
    log.expect(100 * MB)
    for done in range(100):
        log.progress(done * MB)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert re.search(r" 29 %, 29.0 MB of 100.0 MB, 966.7 KB/s, about 1m13s left$", lines[0])
    assert (tmp_path / "log").read_text().splitlines() == lines
    assert "\r" not in "".join(lines)


def test_on_a_terminal_there_is_a_bar_that_is_gone_before_the_next_line(
    tmp_path, capsys, monkeypatch
):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    log = RunLog(tmp_path / "log", Ticking())
    log.expect(10 * MB)
    for done in range(11):
        log.progress(done * MB)
    log.write("Done")
    assert "[##########----------] 50 %" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.deep
def test_a_backup_and_its_restore_know_what_is_left_from_the_backup_before(
    small, tmp_path, monkeypatch
):
    clock = Ticking()
    clock.step = 31.0  # each look at the clock is worth a line
    log = RunLog(tmp_path / "backup.log", clock)
    context = context_on(small, tmp_path / "backups", log)
    make("daily", context)
    assert " %, " not in log.path.read_text()  # nobody knows the first one's size
    clock.forward(days=1)
    backup = make("daily", context)
    assert "100 %, " in log.path.read_text()
    log.path.unlink()
    restore(backup, context)
    assert "100 %, " in log.path.read_text()
