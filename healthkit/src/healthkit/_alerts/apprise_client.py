"""A channel: one Apprise address, and one send whose result is known.

Apprise is imported when the first address is looked at (it takes 0.15 s and 44 MB), so that a
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
from types import ModuleType
from typing import Any, Literal, get_args
from urllib.parse import unquote

import requests

from healthkit._alerts import send_result
from healthkit._alerts.messages import Format, Message, form
from healthkit._alerts.send_result import Answer, Verdict
from healthkit._config.settings import ChannelSettings
from healthkit.errors import Problem
from healthkit.masking import MASK, mask, one_line

Tone = Literal["info", "success", "warning", "failure"]


def send(
    url: str, message: Message, tone: Tone = "info", before: Callable[[], None] | None = None
) -> Answer:
    """Sends a message to an Apprise address, in its format and within its limits.

    `before` is called right before each request and may raise to forbid it, which `send` raises on.
    It takes as long as the service lets it (Apprise's `cto` and `rto`, 4 s each, bound most of
    them): bound it yourself. Raises ValueError for an address that Apprise does not understand.
    """
    apprise = _apprise()
    service = _service(url)
    kind = _format(service)
    title, body = form(message, kind, service.body_maxlen, service.title_maxlen)
    target = apprise.Apprise(asset=service.asset)
    target.add(service)
    with _listening(_Ears(before)) as ears:
        ears.ask()
        result = target.notify(
            body=body, title=title, notify_type=tone, body_format=kind, log_level=logging.DEBUG
        )
    if ears.forbidden is not None:
        raise ears.forbidden
    return Answer(Verdict.SENT) if result else _why_not(url, ears, result)


def problems(channels: Mapping[str, ChannelSettings]) -> list[Problem]:
    """Addresses that Apprise does not understand. Channels that are off are not looked at."""
    found = []
    for name, channel in channels.items():
        if channel.enabled:
            try:
                _service(channel.url.get_secret_value())
            except ValueError as error:
                found.append(Problem(f"channels.{name}.url", str(error)))
    return found


def shown(url: str) -> str:
    """An address as people may see it: Apprise's own form with its secrets masked."""
    try:
        masked: str = _service(url).url(privacy=True)
    except ValueError:
        return url.partition("://")[0] + "://" + MASK
    return masked.partition("?")[0]


def register(types: Iterable[Any]) -> None:
    """Makes further Apprise plugins known: those of the hook `healthkit_channel_types`. A schema
    that is known already stays what it is. Raises whatever a class that is no plugin makes it."""
    manager = _apprise().plugins.N_MGR
    for cls in types:
        manager.add(cls)


def _apprise() -> ModuleType:
    # Apprise's debug lines name tokens, and so do the paths in those of urllib3. The former say
    # best why a mail was not sent: they are taken from the results, masked, and kept out of the
    # log. Each time anew, for whoever sets up logging may undo it.
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
    _hear_requests()
    module: ModuleType = apprise
    return module


def _service(url: str) -> Any:
    """The Apprise plugin of an address. Raises ValueError, whose text has no secret."""
    apprise = _apprise()
    schema = url.partition("://")[0].strip().lower()
    manager = apprise.plugins.N_MGR
    if "://" not in url or schema not in manager:
        known = "" if "://" in url else "; write it like tgram://TOKEN/CHAT"
        raise ValueError(f"no Apprise address: {schema[:20]!r} is no service it knows{known}")
    # Sends run on the thread that asks for them, which bounds them itself.
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


# What the service said


class RateLimited(requests.RequestException):
    """HTTP 429. Raised in place of the answer, so that no plugin waits on its own and sends later
    than its caller believes: the waiting is the outbox's."""


@dataclass(slots=True)
class _Ears:
    before: Callable[[], None] | None = None
    response: requests.Response | None = None
    error: requests.RequestException | None = None
    forbidden: Exception | None = None

    def ask(self) -> None:
        """Raises what `before` raises, and keeps it: plugins swallow exceptions."""
        try:
            if self.before is not None:
                self.before()
        except Exception as error:
            self.forbidden = error
            raise


_EARS: ContextVar[_Ears | None] = ContextVar("healthkit_ears", default=None)


@contextmanager
def _listening(ears: _Ears) -> Iterator[_Ears]:
    token = _EARS.set(ears)
    try:
        yield ears
    finally:
        _EARS.reset(token)


def _hear_requests() -> None:
    """Apprise makes a session for each request and keeps the response to itself; this is where
    instrumentations listen too. Requests that are not of `send` pass through untouched."""
    original = requests.Session.send

    @functools.wraps(original)
    def hearing(session: Any, request: Any, **options: Any) -> requests.Response:
        ears = _EARS.get()
        if ears is None:
            return original(session, request, **options)
        ears.ask()
        try:
            ears.response = original(session, request, **options)
            _ = ears.response.content
        except requests.RequestException as error:
            ears.error = error
            raise
        if ears.response.status_code == requests.codes.too_many_requests:
            raise RateLimited(response=ears.response)
        return ears.response

    requests.Session.send = hearing  # type: ignore[method-assign,assignment]


def _why_not(url: str, ears: _Ears, result: Any) -> Answer:
    if ears.error is not None:
        answer = send_result.broken(ears.error)
    elif ears.response is not None and ears.response.status_code >= 400:
        answer = send_result.refusal(ears.response)
    else:
        answer = send_result.from_log(result)
    return replace(answer, words=_hide(answer.words, url))


def _hide(text: str, url: str) -> str:
    """The text on one line, without anything that stands in the address and is not public."""
    public = shown(url)
    text = mask(text)
    for part in sorted(re.split(r"[/@?&=#]+|(?<=\w):(?=\w)", url.partition("://")[2]), key=len)[
        ::-1
    ]:
        for secret in {part, unquote(part)}:
            if len(secret) >= 4 and secret not in public:
                text = text.replace(secret, MASK)
    return one_line(text, send_result.LONGEST_WORDS)
