"""The form of what commands say: mistakes in one line, tables in columns."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TextIO

import click

from healthkit.errors import HealthkitError
from healthkit.masking import escape_controls, mask

# What a disk answers that takes no more.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class HandledErrors(click.Group):
    """A group where a user's mistake is one line on stderr and exit code 2, while a bug keeps its
    traceback."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _handled():  # help is printed while the arguments are read
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _handled():
            return super().invoke(ctx)


@contextmanager
def _handled() -> Iterator[None]:
    try:
        yield
    except HealthkitError as error:
        _leave(2, *error.lines())
    except BrokenPipeError:
        _leave(0)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        where = mask(error.filename) if isinstance(error.filename, str) else "the output"
        _leave(2, f"{where} cannot be written: {error.strerror}")


def _leave(code: int, *lines: str) -> NoReturn:
    with suppress(OSError):  # the stream of errors may be what is full
        for line in lines:
            click.echo(escape_controls(line), err=True)
    for stream in (sys.stdout, sys.stderr):
        discard_unwritten(stream)
    raise SystemExit(code) from None


def end_with(code: int, text: str) -> NoReturn:
    """Prints an answer and ends with its exit code, which holds although nobody reads any more:
    `… | grep -q` leaves at the first line that it looks for."""
    try:
        click.echo(text)
    except BrokenPipeError:
        discard_unwritten(sys.stdout)
    raise SystemExit(code)


def discard_unwritten(stream: TextIO) -> None:
    """Has a stream that takes no more end quietly: what it still holds goes nowhere, or Python
    would try it again at the exit, print a traceback and end with 120.

    Args:
        stream: `sys.stdout` or `sys.stderr`.
    """
    with suppress(OSError, ValueError):  # ValueError: it is closed, or is no file
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def format_table(rows: Sequence[tuple[str, ...]]) -> str:
    """Returns rows in columns of equal width; the first row is the heading."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
