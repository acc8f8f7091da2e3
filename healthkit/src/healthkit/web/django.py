"""The mount for Django: in first place of `MIDDLEWARE`, so that neither `ALLOWED_HOSTS` nor a
redirect to TLS nor a database transaction comes before it.

    MIDDLEWARE = ["healthkit.web.django.HealthMiddleware", ...]
    HEALTHKIT_CONFIG = BASE_DIR / "healthkit.toml"     # or a Health, or a document as TOML gives it
    HEALTHKIT_SEES_DETAILS = local_or_token(...)       # left out: everybody
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from healthkit._health import Health
from healthkit._reading import load_settings
from healthkit._rendering import RenderedResponse
from healthkit.errors import ConfigError
from healthkit.web._incoming import BODY, announced
from healthkit.web._responder import Responder
from healthkit.web._steps import follow

try:
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction
    from django import conf
    from django.core.exceptions import ImproperlyConfigured
    from django.core.signals import setting_changed
    from django.http import HttpRequest, HttpResponse
except ModuleNotFoundError as error:
    raise ImportError(
        "healthkit.web.django needs Django: pip install 'healthkit-core[django]'"
    ) from error


@cache
def health() -> Health:
    """Returns the Health of this process, made of `HEALTHKIT_CONFIG` when it is first asked for.

    Raises ImproperlyConfigured, with every mistake in the configuration.
    """
    source = getattr(conf.settings, "HEALTHKIT_CONFIG", None)
    if isinstance(source, Health):
        return source
    if not source:
        raise ImproperlyConfigured(
            "HEALTHKIT_CONFIG is not set: the path of a healthkit.toml, or a healthkit.Health"
        )
    try:
        if isinstance(source, Mapping):
            return Health(load_settings(source))
        return Health.from_file(source)
    except ConfigError as error:
        raise ImproperlyConfigured("\n".join(error.lines())) from None


def _forget(*, setting: str, **_: Any) -> None:
    """A test has overridden a setting: the next request makes a Health anew."""
    if setting == "HEALTHKIT_CONFIG":
        health.cache_clear()


setting_changed.connect(_forget)


class HealthMiddleware:
    """Responds to the health paths, under WSGI and ASGI; settings see the module."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._responder = Responder(
            health(), sees_details=getattr(conf.settings, "HEALTHKIT_SEES_DETAILS", None)
        )
        self._on_loop: bool = iscoroutinefunction(get_response)
        if self._on_loop:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if self._on_loop:
            return self._respond_async(request)
        steps = self._responder.respond(self._environ(request))
        while True:
            try:
                time.sleep(next(steps))
            except StopIteration as end:
                return self._get_response(request) if end.value is None else _made_of(end.value)

    def _environ(self, request: HttpRequest) -> dict[str, Any]:
        environ: dict[str, Any] = request.META
        if not (limit := self._responder.body_limit(environ)):
            return environ
        try:
            body = request.read(limit)
        except OSError:  # Django's UnreadablePostError is one
            return {**environ, BODY: None}
        whole = len(body) >= min(limit, announced(environ) or 0)
        return {**environ, BODY: body if whole else None}

    async def _respond_async(self, request: HttpRequest) -> HttpResponse:
        found = await follow(self._responder.respond(self._environ(request)))
        return await self._get_response(request) if found is None else _made_of(found)


def _made_of(found: RenderedResponse) -> HttpResponse:
    reason = found.status.partition(" ")[2]
    return HttpResponse(found.body, status=found.code, reason=reason, headers=dict(found.headers))
