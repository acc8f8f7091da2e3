"""The form of what commands say: mistakes in one line, tables in columns."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import Any

import click

from healthkit.errors import HealthkitError
from healthkit.masking import escape_controls, mask


class HandledErrors(click.Group):
    """A group where a user's mistake is one line on stderr and exit code 2, while a bug keeps its
    traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HealthkitError as error:
            for line in error.lines():
                click.echo(escape_controls(line), err=True)
            raise SystemExit(2) from None
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the exit would flush into the pipe
            raise SystemExit(0) from None
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            where = mask(error.filename) if isinstance(error.filename, str) else "the output"
            click.echo(f"{where} cannot be written: {error.strerror}", err=True)
            raise SystemExit(2) from None


def format_table(rows: Sequence[tuple[str, ...]]) -> str:
    """Returns rows in columns of equal width; the first row is the heading."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
