"""Commands of jobs: a heartbeat, and a job that is run and reported."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, TextIO

import click

from healthkit._config.validation import quoted
from healthkit._health import Health
from healthkit._model.signals import LONGEST_BODY, parse_word
from healthkit.cli._options import ConfigOptions, with_config_options
from healthkit.errors import ConfigError, ConfigProblem, StoreError, did_you_mean
from healthkit.masking import one_line

_LOOK = 0.5
"""Seconds that output may be quiet before it is asked whether the job has ended."""
NOT_FOUND, NOT_EXECUTABLE, SIGNALLED = 127, 126, 128
"""Exit codes as a shell has them; the last one has the signal's number added."""


@click.command()
@click.argument("name")
@click.argument("word", metavar="[start|fail|log|EXIT_CODE]", default="")
@click.option("--text", help="What the job has to say; its end is kept.")
@with_config_options
def beat(options: ConfigOptions, name: str, word: str, text: str | None) -> None:
    """Record a heartbeat of the check NAME: its job has run, or starts, or has failed."""
    said = parse_word(word)
    if said is None:
        raise click.UsageError(f"{word!r} is none of start, fail, log or an exit code (0 to 255)")
    health = _health_with(options, name)
    health.beat(name, said[0], code=said[1], text=text)
    click.echo(f"{name}: recorded")


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("name")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@with_config_options
def run(options: ConfigOptions, name: str, command: tuple[str, ...]) -> None:
    """Run COMMAND as the job of the heartbeat NAME: `healthkit run nightly -- ./backup.sh`.

    Its start, its exit code, how long it took and the end of its output are recorded. It runs also
    where that is not possible; the exit code is always its own.
    """
    words = command[1:] if command[0] == "--" else command
    if not words:
        raise click.UsageError("say which command to run: healthkit run NAME -- COMMAND")
    if command[0] != "--" and command[0].startswith("-"):  # it would be run as the job
        raise click.UsageError(f"options like {command[0]} stand before the name of the job")
    health = _health_with(options, name)
    _record(health, name, "start")
    code, output = _run(words)
    _record(health, name, "failure" if code else "success", code=code, text=output)
    sys.exit(code)


def _health_with(options: ConfigOptions, name: str) -> Health:
    health = Health(options.settings())
    if name not in health.heartbeat_names():
        hint = did_you_mean(name, health.heartbeat_names())
        problem = ConfigProblem("", f"no heartbeat check is named {quoted(name)}{hint}")
        raise ConfigError(options.config, [problem])
    return health


def _record(health: Health, name: str, kind: str, **more: Any) -> None:
    """The job comes first: what cannot be recorded is said, and stops nothing."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        health.beat(name, kind, **more)
    except (StoreError, SQLAlchemyError, OSError) as error:
        click.echo(f"healthkit: {name}: {kind} not recorded: {one_line(str(error), 300)}", err=True)


def _run(words: tuple[str, ...]) -> tuple[int, str]:
    """Returns a command's exit code and the end of its output, which is passed on as it comes."""
    try:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        said = f"{one_line(words[0], 200)}: {error.strerror}"
        click.echo(f"healthkit: {said}", err=True)
        return (NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE), said
    with process, _signals_passed_on(process):
        output = _pass_output_on(process)
        code = process.wait()
    return (SIGNALLED - code if code < 0 else code), output.decode("utf-8", "replace")


@contextmanager
def _signals_passed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leaves what would end this process to the job. A terminal interrupts both itself."""

    def pass_on(number: int, _: Any) -> None:
        process.send_signal(number)

    handlers = {signal.SIGTERM: pass_on, signal.SIGHUP: pass_on, signal.SIGINT: lambda *_: None}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _pass_output_on(process: subprocess.Popen[bytes]) -> bytes:
    """Returns the last bytes of both streams when they have ended; one that a child of the job has
    kept open is left to it once the job has ended and all is quiet."""
    assert process.stdout is not None
    assert process.stderr is not None
    kept = b""
    with selectors.DefaultSelector() as streams, open(os.devnull, "wb") as nowhere:
        for source, ours in ((process.stdout, sys.stdout), (process.stderr, sys.stderr)):
            # A stream that was closed before we were started, as by `>&-`, is None.
            given: TextIO | None = ours
            streams.register(
                source, selectors.EVENT_READ, nowhere if given is None else given.buffer
            )
        while streams.get_map():
            ready = streams.select(_LOOK)
            if not ready and process.poll() is not None:
                break
            for key, _ in ready:
                if chunk := os.read(key.fd, 65_536):
                    _write(key.data, chunk)
                    kept = (kept + chunk)[-LONGEST_BODY:]
                else:
                    streams.unregister(key.fileobj)
    return kept


def _write(stream: IO[bytes], chunk: bytes) -> None:
    try:
        stream.write(chunk)
        stream.flush()
    except OSError:
        # Whoever read it has gone; the job goes on, and the exit must not try to write the rest.
        with suppress(OSError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


COMMANDS: tuple[click.Command, ...] = (beat, run)
