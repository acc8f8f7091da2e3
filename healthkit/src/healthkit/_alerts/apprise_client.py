"""A channel: one Apprise URL, and one send whose result is known.

Apprise is imported when the first URL is parsed (it takes 0.15 s and 44 MB), so that a
process that sends nothing never pays for it.
"""

from __future__ import annotations

import functools
import logging
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from types import ModuleType
from typing import Any, Literal, get_args
from urllib.parse import unquote

import requests

from healthkit._alerts import send_result
from healthkit._alerts.messages import Format, Message, format_for_channel
from healthkit._alerts.send_result import SendResult, SendStatus
from healthkit._clock import SYSTEM_CLOCK, Clock
from healthkit._config.alert_tables import ChannelSettings
from healthkit.errors import ConfigProblem
from healthkit.masking import MASK, mask, one_line

LONGEST_ANSWER = 1_000_000
"""Bytes of a service's answer that are read."""

Tone = Literal["info", "success", "warning", "failure"]


def send(
    url: str,
    message: Message,
    tone: Tone = "info",
    before: Callable[[], None] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> SendResult:
    """Sends a message to an Apprise URL, in the channel's format and within its limits.

    `before` is called right before each request and may raise to forbid it, which `send` raises on.
    A send takes as long as the service lets it (Apprise's `cto` and `rto`, 4 s each, bound most of
    them): bound it yourself. Raises ValueError for a URL that Apprise does not understand.
    """
    apprise = _apprise()
    service = _service(url)
    kind = _format(service)
    title, body = format_for_channel(message, kind, service.body_maxlen, service.title_maxlen)
    target = apprise.Apprise(asset=service.asset)
    target.add(service)
    with _observing(_RequestObserver(before)) as observer:
        observer.before_request()
        result = target.notify(
            body=body, title=title, notify_type=tone, body_format=kind, log_level=logging.DEBUG
        )
    if observer.forbidden is not None:
        raise observer.forbidden
    return SendResult(SendStatus.SENT) if result else _failure(url, observer, result, clock.now())


def url_problems(channels: Mapping[str, ChannelSettings]) -> list[ConfigProblem]:
    """Returns the URLs that Apprise does not understand. Channels that are off are skipped."""
    found = []
    for name, channel in channels.items():
        if channel.enabled:
            try:
                _service(channel.url.get_secret_value())
            except ValueError as error:
                found.append(ConfigProblem(f"channels.{name}.url", str(error)))
    return found


def masked_url(url: str) -> str:
    """Returns a URL as people may see it: Apprise's own form with its secrets masked."""
    try:
        masked: str = _service(url).url(privacy=True)
    except ValueError:
        return url.partition("://")[0] + "://" + MASK
    return masked.partition("?")[0]


def register(types: Iterable[Any]) -> None:
    """Registers further Apprise plugins: those of the hook `healthkit_channel_types`. A schema that
    is known already keeps its plugin. Raises whatever a class that is no plugin makes it raise."""
    manager = _apprise().plugins.N_MGR
    for cls in types:
        manager.add(cls)


def _apprise() -> ModuleType:
    # Apprise's debug lines name tokens, and so do the paths in those of urllib3. The former give
    # the best reason why a mail was not sent: they are taken from the results, masked, and kept
    # out of the log. Each time anew, for whoever sets up logging may undo it.
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logging.getLogger("urllib3").setLevel(logging.INFO)
    return _imported()


@functools.cache
def _imported() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # up to Python 3.12 it uses imghdr
        import apprise

        apprise.plugins.N_MGR.load_modules()
        from healthkit._alerts.log_channel import NotifyLog

        apprise.plugins.N_MGR.add(NotifyLog)
    _install_observer()
    module: ModuleType = apprise
    return module


def _service(url: str) -> Any:
    """Returns the Apprise plugin of a URL. Raises ValueError, whose text has no secret."""
    apprise = _apprise()
    schema = url.partition("://")[0].strip().lower()
    manager = apprise.plugins.N_MGR
    if "://" not in url or schema not in manager:
        known = "" if "://" in url else "; write it like tgram://TOKEN/CHAT"
        raise ValueError(f"no Apprise address: {schema[:20]!r} is no service it knows{known}")
    # A send runs on the thread that calls it, which bounds it itself.
    asset = apprise.AppriseAsset(async_mode=False, service_timeout=0, app_id="healthkit")
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is None:
        template = next(iter(getattr(manager[schema], "templates", ())), "")
        form = template.replace("{schema}", schema)
        raise ValueError(f"not a whole {schema}:// address; write it like {form}")
    return service


def _format(service: Any) -> Format:
    kind = str(getattr(service.resolve_format("text"), "value", "text"))
    return next((known for known in get_args(Format) if known == kind), "text")


# The responses of services


class RateLimited(requests.RequestException):
    """HTTP 429. Raised in place of the response, so that no plugin waits on its own and sends later
    than its caller believes: the outbox does the waiting."""


@dataclass(slots=True)
class _RequestObserver:
    """The last response or error of the requests of one send."""

    before: Callable[[], None] | None = None
    response: requests.Response | None = None
    error: requests.RequestException | None = None
    forbidden: Exception | None = None

    def before_request(self) -> None:
        """Raises what `before` raises, and keeps it: plugins swallow exceptions."""
        try:
            if self.before is not None:
                self.before()
        except Exception as error:
            self.forbidden = error
            raise


_OBSERVER: ContextVar[_RequestObserver | None] = ContextVar("healthkit_observer", default=None)


@contextmanager
def _observing(observer: _RequestObserver) -> Iterator[_RequestObserver]:
    token = _OBSERVER.set(observer)
    try:
        yield observer
    finally:
        _OBSERVER.reset(token)


def _install_observer() -> None:
    """Wraps `requests.Session.send`: Apprise makes a session for each request and keeps the
    response to itself. Instrumentations hook in here too. Other requests pass untouched."""
    original = requests.Session.send

    @functools.wraps(original)
    def observed(session: Any, request: Any, **options: Any) -> requests.Response:
        observer = _OBSERVER.get()
        if observer is None:
            return original(session, request, **options)
        observer.before_request()
        try:
            observer.response = original(session, request, **{**options, "stream": True})
            _read(observer.response)
        except requests.RequestException as error:
            observer.error = error
            raise
        if observer.response.status_code == requests.codes.too_many_requests:
            raise RateLimited(response=observer.response)
        return observer.response

    requests.Session.send = observed  # type: ignore[method-assign,assignment]


def _read(response: requests.Response) -> None:
    """Reads the body, as far as `LONGEST_ANSWER`: a service may send one that never ends."""
    body = b""
    for chunk in response.iter_content(65_536):
        body += chunk
        if len(body) >= LONGEST_ANSWER:
            break
    response.close()  # with its connection, where not all was read
    response._content = body[:LONGEST_ANSWER]
    response._content_consumed = True  # type: ignore[attr-defined]


def _failure(url: str, observer: _RequestObserver, result: Any, now: datetime) -> SendResult:
    if observer.error is not None:
        failed = send_result.from_exception(observer.error)
    elif observer.response is not None and observer.response.status_code >= 400:
        failed = send_result.from_response(observer.response, now)
    else:
        failed = send_result.from_log(result)
    return replace(failed, reason=_hide(failed.reason, url))


def _hide(text: str, url: str) -> str:
    """Returns the text on one line, without any part of the URL that is not public."""
    public = masked_url(url)
    text = mask(text)
    for part in sorted(re.split(r"[/@?&=#]+|(?<=\w):(?=\w)", url.partition("://")[2]), key=len)[
        ::-1
    ]:
        for secret in {part, unquote(part)}:
            if len(secret) >= 4 and secret not in public:
                text = text.replace(secret, MASK)
    return one_line(text, send_result.MAX_REASON)
