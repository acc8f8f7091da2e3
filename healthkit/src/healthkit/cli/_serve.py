"""The command that serves the health paths of what is no web service itself."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import click

from healthkit._health import Health
from healthkit.cli._options import ConfigOptions, with_config_options
from healthkit.errors import HealthkitError
from healthkit.fields import secret_weakness

TOKEN = "HEALTHKIT_TOKEN"  # noqa: S105  the variable's name
_BOUNDS: dict[str, Any] = {
    "ident": None,
    "threads": 4,
    "connection_limit": 100,
    "channel_timeout": 30,
    "max_request_header_size": 16_384,
    "max_request_body_size": 65_536,
    # It would hide from us that a request has come through a proxy, and so from elsewhere.
    "clear_untrusted_proxy_headers": False,
}
"""Of waitress: what strangers can make it hold. Times in seconds, sizes in bytes."""


class ServeError(HealthkitError):
    """It cannot serve; the text says why and how to mend it."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8008, show_default=True, type=click.IntRange(0, 65535))
@with_config_options
def serve(options: ConfigOptions, host: str, port: int) -> None:
    """Run the checks and serve /health, /metrics, /status and the others until SIGTERM.

    Details (hosts, paths, texts of errors) are for this machine, and for whoever sends the token
    that $HEALTHKIT_TOKEN holds as `Authorization: Bearer TOKEN`.
    """
    from healthkit.web.access import local_or_token
    from healthkit.web.wsgi import FIRST_RESULTS, HealthMiddleware

    health = Health.from_file(options.config, plugins_dir=options.plugins_dir)
    application = HealthMiddleware(_nothing_else, health, None, local_or_token(_token()))
    create_server = _waitress()
    signal.signal(signal.SIGTERM, _exit)
    with _listen(host, port) as listening, health:
        health.start(wait=FIRST_RESULTS)
        server = create_server(application, sockets=[listening], **_BOUNDS)
        shown, bound = f"[{host}]" if ":" in host else host, listening.getsockname()[1]
        click.echo(f"serving http://{shown}:{bound}/health")
        server.run()


def _token() -> str | None:
    token = os.environ.get(TOKEN)
    if token and (weakness := secret_weakness(token)) is not None:
        raise ServeError(f"{TOKEN} is {weakness}; make one with: openssl rand -hex 16")
    return token or None


def _waitress() -> Callable[..., Any]:
    try:
        from waitress.server import create_server
    except ModuleNotFoundError:
        raise ServeError(
            "healthkit serve needs waitress: pip install 'healthkit-core[serve]'"
        ) from None
    found: Callable[..., Any] = create_server
    return found


def _listen(host: str, port: int) -> socket.socket:
    try:
        usable = bool(host.encode("idna"))  # an empty one would be every address of this machine
    except UnicodeError:
        usable = False
    if not usable:
        raise ServeError(f"cannot listen at {host}:{port}: no name of a host")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = error.strerror or error
        raise ServeError(f"cannot listen at {host}:{port}: {reason}") from None


def _exit(*_: Any) -> NoReturn:
    raise SystemExit(0)


def _nothing_else(environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = b"Nothing is here; see /health.\n"
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response("404 Not Found", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


COMMANDS: tuple[click.Command, ...] = (serve,)
