"""What is written is read to its end meanwhile: every way in which it can be broken is found."""

import gzip
import random
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.backup import gzip_check
from posapp.backup.compression import BLOCK, DUMP_TRAILER
from posapp.backup.errors import BackupError
from posapp.backup.gzip_check import GzipCheck

CLOSING = b"\n" + DUMP_TRAILER + b"\n"
SQL = random.Random(7).randbytes(40_000) + b"x" * 3 * BLOCK + CLOSING
WHOLE = gzip.compress(SQL, 1)


def check(content, size=1000):
    """The bytes of SQL in it, as it is written in blocks of a size."""
    sink = BytesIO()
    with GzipCheck(sink) as found:
        for at in range(0, len(content), size):
            assert found.write(content[at : at + size]) == len(content[at : at + size])
    assert sink.getvalue() == content
    return found.result()


@pytest.mark.parametrize("size", [1, 999, 1 << 20])
def test_one_that_is_whole_is_read_to_its_end(size):
    assert check(gzip.compress(SQL[-70_000:]), size) == 70_000
    assert check(WHOLE, max(size, 100)) == len(SQL)


@given(at=st.integers(0, len(WHOLE) - 1), bit=st.integers(0, 7))
def test_a_changed_bit_is_found_wherever_it_changes_what_is_read(at, bit):
    changed = bytearray(WHOLE)
    changed[at] ^= 1 << bit
    try:
        harmless = gzip.decompress(changed) == SQL  # of the header, or of what fills up a byte
    except (OSError, EOFError, zlib.error):
        harmless = False
    if harmless:
        return
    with pytest.raises(BackupError):
        check(bytes(changed))


@given(st.integers(0, len(WHOLE) - 1))
def test_one_that_breaks_off_is_found(length):
    with pytest.raises(BackupError, match="broken"):
        check(WHOLE[:length])


@pytest.mark.parametrize("more", [b"x", b"\0" * 2000, WHOLE])
def test_more_behind_its_end_is_found(more):
    with pytest.raises(BackupError, match="broken"):
        check(WHOLE + more)


def test_sql_without_the_closing_line_is_found():
    with pytest.raises(BackupError, match="closing line is missing"):
        check(gzip.compress(SQL[: -len(CLOSING)]))


def test_whoever_writes_never_waits_for_a_reader_that_has_failed(monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(gzip_check, "_read_block", fail)
    with pytest.raises(BackupError, match="MemoryError"):
        check(WHOLE * 20)


def test_where_writing_fails_the_reader_ends():
    class Full:
        def write(self, block):
            raise OSError(28, "No space left on device")

    found = GzipCheck(Full())
    with pytest.raises(OSError, match="No space"), found:
        found.write(WHOLE)
    with pytest.raises(BackupError):
        found.result()
