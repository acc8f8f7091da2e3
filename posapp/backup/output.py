"""The standard output and errors of a run: what cannot be printed must not stop it."""

from __future__ import annotations

import os
import sys

import click

from healthkit.cli import discard_unwritten


def show(text: str, err: bool = False, nl: bool = True) -> None:
    """Prints a text. Where nobody reads it any more, or the disk that it goes to is full, the rest
    of the run is silent: the backup is worth more, and the log has it all."""
    try:
        click.echo(text, err=err, nl=nl)
    except OSError as error:
        discard_unwritten(sys.stderr if err else sys.stdout)
        if not err and not isinstance(error, BrokenPipeError):
            show(f"standard output: {error.strerror}; the rest is in the log alone", err=True)


def open_missing() -> None:
    """Opens standard streams that whoever started this has closed: what is written there goes
    nowhere, and no file of a backup takes its place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if number == 0 else "w"))  # noqa: SIM115  stays
