"""Responds to the health paths, for every mount: a request is what WSGI says of it, a response is
bytes that were made in advance.

It takes no lock and runs no check, and so works while the database hangs. What has to be waited
for (the first results, a heartbeat's way into the store) is told as seconds to sleep, so that a
mount on an event loop blocks nothing: see `respond`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from healthkit import _rendering
from healthkit._health import Health
from healthkit._model.signals import LONGEST_BODY
from healthkit._rendering import RenderedResponse
from healthkit.errors import StoreError
from healthkit.web import _incoming as incoming
from healthkit.web._incoming import BEAT, REPORT, Rejection
from healthkit.web.access import SeesDetails

Environ = Mapping[str, Any]
Steps = Generator[float, None, RenderedResponse | None]

PATHS: Mapping[str, str] = {
    "/health": "json",
    "/livez": "live",
    "/readyz": "ready",
    "/startupz": "startup",
    "/metrics": "prometheus",
}
"""The renderer of each path."""

PARTS = "/health/"
ACT = "/health/act/"
LINK_METHODS = ("GET", "HEAD", "POST")
CHECKS = "/health/check/"
FIRST_RESULTS = 1.0
"""Seconds that the first request in a process waits for the first results."""
_LOOK = 0.01
"""Seconds between two looks for them."""

_FORMATS = {"health+json": "health+json", "prometheus": "prometheus", "text": "plain"}
_ACCEPTED = {_rendering.HEALTH_JSON: "health+json", "text/plain": "plain"}
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Responder:
    """`paths` maps a path to a renderer of `health` (default: `PATHS`).

    `sees_details` says of a request whether it is answered with hosts, paths and texts of errors,
    and whether it may read metrics (default: everybody). Raises KeyError for a renderer that
    `health` does not have.
    """

    def __init__(
        self,
        health: Health,
        paths: Mapping[str, str] | None = None,
        sees_details: SeesDetails | None = None,
    ) -> None:
        self._health = health
        self._sees_details = sees_details
        self._paths = dict(PATHS if paths is None else paths)
        for renderer in self._paths.values():
            health.response(renderer)  # a wrong name is found at the start
        self._has_parts = "/health" in self._paths
        self._links = health.settings.links.enabled
        self._status_paths: Mapping[str, str] = {}
        if health.settings.status.access != "off":
            from healthkit._status.publisher import PATHS as STATUS_PATHS

            self._status_paths = STATUS_PATHS

    @property
    def fixed_paths(self) -> Sequence[str]:
        """The paths that are always answered here, as far as they can be listed."""
        return (*self._paths, *self._status_paths)

    def start(self) -> Iterator[float]:
        """Starts the checks in this process, where nothing has; yields the seconds to sleep until
        the next look, for `FIRST_RESULTS` at most."""
        if not self._health.needs_start:
            return
        self._health.start()
        for _ in range(round(FIRST_RESULTS / _LOOK)):
            if self._health.has_first_results:
                return
            yield _LOOK

    def respond(self, environ: Environ) -> Steps:
        """Responds to a request, whose `PATH_INFO` begins at the mount: yields the seconds to sleep
        before it goes on, and returns the response; None where the path is the application's."""
        if self._health.needs_start:
            yield from self.start()
        path: str = environ.get("PATH_INFO", "")
        if (renderer := self._paths.get(path)) is not None:
            return self._report(renderer, environ)
        if path in self._status_paths:
            return self._show_status(path, environ)
        if path.startswith((BEAT, REPORT)):
            return (yield from self._take_in(path, environ))
        if self._links and path.startswith(ACT):
            return (yield from self._follow_link(path, environ))
        if self._has_parts and path.startswith(CHECKS):
            return self._part(environ, check=path[len(CHECKS) :])
        if self._has_parts and path.startswith(PARTS) and path != PARTS:
            return self._part(environ, group=path[len(PARTS) :])
        return None

    # Reports

    def _report(self, renderer: str, environ: Environ) -> RenderedResponse:
        if renderer == "json" and (environ.get("QUERY_STRING") or "HTTP_ACCEPT" in environ):
            renderer = _negotiate(environ)
        return self._read(renderer, environ)

    def _part(
        self, environ: Environ, check: str | None = None, group: str | None = None
    ) -> RenderedResponse | None:
        """A path that names no group is the application's; one that names no check is an error."""
        try:
            return self._read(_negotiate(environ), environ, check=check, group=group)
        except KeyError:
            return None if check is None else _refuse(404, _NO_SUCH_CHECK, environ)

    def _read(self, renderer: str, environ: Environ, **part: str | None) -> RenderedResponse:
        details = self._sees_details is None or self._sees_details(environ)
        rendered = self._health.response(renderer, details=details, **part)
        if renderer == "prometheus" and not details:
            return _refuse(401, _METRICS, environ, ("WWW-Authenticate", "Bearer"))
        return _readable(rendered, environ)

    def _show_status(self, path: str, environ: Environ) -> RenderedResponse:
        page = self._health.status_page()
        assert page is not None
        public = self._health.settings.status.access == "public"
        if not public and self._sees_details is not None and not self._sees_details(environ):
            return _refuse(401, _STATUS, environ, ("WWW-Authenticate", "Bearer"))
        return _readable(page.response(self._status_paths[path], _language(environ)), environ)

    # What is sent in

    def body_limit(self, environ: Environ) -> int:
        """Returns how many bytes of a request's body the mount is to put into `BODY`: one more than
        are taken, so that a body that is too long is noticed; 0 where none is read."""
        if environ["REQUEST_METHOD"] != "POST":
            return 0
        ours = (BEAT, REPORT, ACT) if self._links else (BEAT, REPORT)
        sent_in = environ.get("PATH_INFO", "").startswith(ours)
        return LONGEST_BODY + 1 if sent_in else 0

    def _take_in(self, path: str, environ: Environ) -> Generator[float, None, RenderedResponse]:
        taken = incoming.read(self._health, path, environ)
        if isinstance(taken, Rejection):
            return _refuse(taken.code, taken.detail, environ, *taken.headers, errors=taken.errors)
        try:
            yield from self._health.signal_steps(taken)
        except (StoreError, OSError, _database_error()):
            return _refuse(503, _NOT_STORED, environ)
        return _answer(_RECORDED, environ)

    def _follow_link(self, path: str, environ: Environ) -> Generator[float, None, RenderedResponse]:
        if environ["REQUEST_METHOD"] not in LINK_METHODS:
            return _refuse(405, _LINK_ONLY, environ, ("Allow", ", ".join(LINK_METHODS)))
        from healthkit.web import _links  # words and store: only where there are links

        settings = self._health.settings
        language = _language(environ) or settings.status.language or settings.messages.language
        return _answer((yield from _links.respond(self._health, path, environ, language)), environ)


def _database_error() -> type[Exception]:
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError


def _language(environ: Environ) -> Any:
    """Returns the language that `?lang=` or `Accept-Language` asks for first; None for another."""
    for part in environ.get("QUERY_STRING", "").split("&"):
        if part in ("lang=en", "lang=id"):
            return part[-2:]
    first = environ.get("HTTP_ACCEPT_LANGUAGE", "").split(",", 1)[0].strip().lower()
    return first[:2] if first[:2] in ("en", "id") and not first[2:3].isalpha() else None


def _negotiate(environ: Environ) -> str:
    """Returns the renderer that `?format=` or `Accept` asks for; `json` otherwise."""
    for part in environ.get("QUERY_STRING", "").split("&"):
        if part.startswith("format="):
            wanted = part[len("format=") :].replace("%2B", "+").replace("%2b", "+")
            return _FORMATS.get(wanted, "json")
    for part in environ.get("HTTP_ACCEPT", "").split(","):
        media = part.partition(";")[0].strip()
        if media in _ACCEPTED:
            return _ACCEPTED[media]
        if media in (_rendering.JSON, "*/*", "application/*"):
            break
    return "json"


def _readable(rendered: RenderedResponse, environ: Environ) -> RenderedResponse:
    """Returns a response to GET or HEAD, and refuses any other method."""
    if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
        return _answer(rendered, environ)
    return _refuse(405, _READ_ONLY, environ, ("Allow", "GET, HEAD"))


def _answer(rendered: RenderedResponse, environ: Environ) -> RenderedResponse:
    """Returns a response with the request's id; to HEAD without its body, of the same length."""
    headers = (*rendered.headers, ("X-Request-ID", request_id(environ)))
    body = b"" if environ["REQUEST_METHOD"] == "HEAD" else rendered.body
    return RenderedResponse(rendered.status, headers, body)


def request_id(environ: Environ) -> str:
    """Returns the caller's `X-Request-ID` where it is a sane one, else a new one."""
    given = environ.get("HTTP_X_REQUEST_ID")
    if given and _SANE_ID.fullmatch(given):
        return str(given)
    return f"{random.getrandbits(128):032x}"


def _refuse(
    code: int,
    detail: str,
    environ: Environ,
    *more: tuple[str, str],
    errors: Sequence[Mapping[str, str]] = (),
) -> RenderedResponse:
    """Returns a problem (RFC 9457); `errors` name the fields that are wrong."""
    known = request_id(environ)
    title = HTTPStatus(code).phrase
    body = {"type": "about:blank", "title": title, "status": code, "detail": detail}
    named = {"errors": list(errors)} if errors else {}
    content = _rendering.dump({**body, **named, "request_id": known})
    rendered = _rendering.response(code, "application/problem+json", content)
    headers = (*rendered.headers, ("X-Request-ID", known), *more)
    return replace(
        rendered, headers=headers, body=b"" if environ["REQUEST_METHOD"] == "HEAD" else content
    )


_READ_ONLY = "Health is read with GET or HEAD."
_LINK_ONLY = "A link is read with GET or HEAD, and followed with POST."
_METRICS = "Metrics are for this machine, and for who sends the token."
_STATUS = "The status page is for this machine, and for who sends the token."
_NO_SUCH_CHECK = "No check has this name."
_NOT_STORED = "It could not be stored; send it again."
_LIMIT = ("Ping-Body-Limit", str(LONGEST_BODY))
_OK = _rendering.response(200, _rendering.JSON, b'{"status": "ok"}')
_RECORDED = replace(_OK, headers=(*_OK.headers, _LIMIT))
