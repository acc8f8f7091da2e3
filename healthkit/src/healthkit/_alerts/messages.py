"""Composes the message of an event and formats it for a channel. Pure, but for plugins' texts."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment

from healthkit import _outcomes
from healthkit._alerts.templates import LANGUAGES
from healthkit._config.alert_tables import MessageSettings
from healthkit._config.settings import Settings
from healthkit._model import budget_words
from healthkit._model.alerts import Event, EventKind
from healthkit._model.budgets import Budget, load_budget
from healthkit._model.checks import Status
from healthkit.errors import ConfigProblem
from healthkit.fields import format_duration
from healthkit.masking import mask, one_line, whole_until

log = logging.getLogger("healthkit")

Format = Literal["text", "html", "markdown"]
DIGEST_LINES = 20
"""Events that a digest names; the rest are counted."""

_BUDGET_LOST = ("down", "degraded", "reminder", "escalation")
_OF_BUDGET: Mapping[str, str] = {
    **dict.fromkeys(_BUDGET_LOST, "budget"),
    **dict.fromkeys(("up", "restored"), "budget_safe"),
}
_REASON = 300
"""Characters of a check's own message in a notification."""

_ENVIRONMENT = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)
_WORD_FOR: Mapping[type[nodes.Node], str] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extend",
}
_OF_OTHERS = tuple(_WORD_FOR)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~])")
_ADDRESS = re.compile(r"https?://\S+")
_IN_ADDRESS = re.compile(r"[\\`*_{}\[\]<>|~()]")  # `#` begins its fragment
_MENTION = re.compile(r"(?<!\w)@(?=\w)|@(?=everyone|here)|<(?=[@!#&])")
_NOTHING = "\u200b"
"""A space of no width: what is divided by it is no name to any service."""


@dataclass(frozen=True, slots=True)
class Message:
    """A title and the lines under it, as plain text without secrets."""

    title: str
    lines: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Message:
        title, *lines = [mask(line.rstrip()) for line in text.strip().splitlines()] or [""]
        return cls(title, tuple(lines))


Override = Callable[[Event, str], tuple[str, str] | None]


def compose(event: Event, settings: Settings, override: Override | None = None) -> Message:
    """Returns the message of an event.

    A plugin's text comes first, then the configured template, then the built-in one. A text that
    fails is named in the message that takes its place: an alert is never lost to its wording.
    """
    try:
        if override is not None:
            own = override(event, settings.messages.language)
            if own is not None:
                return _plugin_text(own)
        return _not_empty(_render(_template(event, settings.messages), _variables(event, settings)))
    except BaseException as error:  # noqa: BLE001  templates and plugins may raise anything
        reason = cut(_outcomes.of_exception(error).message or "", 120)
        log.warning("the wording of a message (%s) failed: %s", event.kind.value, reason)
        return plain(event, settings, reason)


def plain(event: Event, settings: Settings, reason: str) -> Message:
    """Returns the built-in message, with a note on why the configured wording is not used."""
    note = f"(The configured wording failed: {reason})"
    try:
        builtin = LANGUAGES[settings.messages.language][_kind(event)]
        message = Message.parse(_render(builtin, _variables(event, settings)))
    except Exception:  # an event from a store may hold anything
        log.exception("the built-in wording of a message failed")
        return barest(event, note)
    return Message(message.title, (*message.lines, note))


def barest(event: Event, note: str) -> Message:
    """Returns what can be said of an event whatever is in it, with a note."""
    return Message(one_line(f"{event.kind.value.upper()}: {event.check.label}"), (note,))


def _plugin_text(own: object) -> Message:
    if not (isinstance(own, tuple) and len(own) == 2 and all(isinstance(o, str) for o in own)):
        raise TypeError("healthkit_message must return (title, body)")
    return _not_empty("\n".join(own))


def _not_empty(text: str) -> Message:
    if not text.strip():
        raise ValueError("the message is empty")
    return Message.parse(text)


def digest(
    events: Sequence[Event], settings: Settings, total: int, now: datetime, *, storm: bool = False
) -> Message:
    """Returns one message for many events: a line for each of the first, the number of the rest.

    `storm`: they were not meant for a digest, but came too many at once.
    """
    lines = [_digest_line(event, settings) for event in events[:DIGEST_LINES]]
    template = LANGUAGES[settings.messages.language]["digest"]
    variables = {
        "service": settings.service.name,
        "total": total,
        "lines": lines,
        "more": total - len(lines),
        "time": local(now, settings),
        "storm": storm,
    }
    return Message.parse(_render(template, variables))


def test_message(settings: Settings, now: datetime) -> Message:
    """Returns the message that `healthkit alert test` sends."""
    variables = {"service": settings.service.name, "time": local(now, settings)}
    return Message.parse(_render(LANGUAGES[settings.messages.language]["test"], variables))


def local(moment: datetime, settings: Settings) -> str:
    """`2025-12-26 10:30:45 WIB`, in the service's zone."""
    return _in_zone(moment, settings).strftime("%Y-%m-%d %H:%M:%S %Z")


def _in_zone(moment: datetime, settings: Settings) -> datetime:
    """Returns a moment in the service's zone; as it is at the ends of the calendar, where it has
    none there."""
    try:
        return moment.astimezone(settings.service.zone)
    except (OverflowError, ValueError):
        return moment


def template_problems(messages: MessageSettings) -> list[ConfigProblem]:
    """Returns the configured templates that do not compile, or take from others: there are none."""
    problems = []
    for kind, template in messages.templates().items():
        try:
            _ENVIRONMENT.from_string(template)
            others = next(_ENVIRONMENT.parse(template).find_all(_OF_OTHERS), None)
        except (TemplateError, RecursionError) as error:
            reason = f"the template does not compile: {one_line(str(error))}"
        else:
            word = _WORD_FOR[type(others)] if others else ""
            reason = f"a template stands alone: it can {word} no other" if word else ""
        if reason:
            problems.append(ConfigProblem(f"messages.{kind}.template", reason))
    return problems


def _render(template: str, variables: dict[str, Any]) -> str:
    return _ENVIRONMENT.from_string(template).render(variables)


def _kind(event: Event) -> str:
    """Returns the template's name: a certificate that expires has one of its own, as has what
    an objective allows to be lost."""
    if _budget(event) is not None:
        return _OF_BUDGET.get(event.kind, event.kind.value)
    expires = "days_left" in event.outcome.details and "expires_at" in event.outcome.details
    if event.kind is EventKind.DEGRADED and expires:
        return "certificate"
    return event.kind.value


def _template(event: Event, messages: MessageSettings) -> str:
    kind = _kind(event)
    configured = getattr(messages, kind, None)
    return configured.template if configured else LANGUAGES[messages.language][kind]


def _variables(event: Event, settings: Settings) -> dict[str, Any]:
    outcome, check = event.outcome, event.check
    expires = outcome.details.get("expires_at")
    reason = one_line(outcome.message or "", _REASON)
    return {
        "name": check.label,
        "url": check.target or settings.service.url or settings.service.name,
        "error": reason or "no details",
        "warning": reason if outcome.status is Status.DEGRADED else "",
        "state": outcome.status.value.upper(),
        "time": local(event.at, settings),
        "recovered": local(event.until or event.at, settings),
        "duration": format_duration(event.lasted),
        "days": outcome.details.get("days_left", ""),
        "expiry_date": _date(expires, settings) if expires else "",
        "inhibits": (inhibits := ", ".join(event.inhibits)),
        "hides": inhibits,  # the name in version 1.0, for templates that were written for it
        "runbook": _runbook(check.runbook, settings.service.runbook),
        "count": event.count,
        "incident": event.incident if event.incident is not None else "",
        "service": settings.service.name,
        "severity": check.severity.value,
        "kind": event.kind.value,
        **_of_budget(_budget(event), settings),
    }


def _budget(event: Event) -> Budget | None:
    """Returns the budget of an objective that an event is about; None where its details have
    something else of that name, which is a plugin's."""
    details = event.outcome.details.get("budget")
    try:
        return load_budget(details) if isinstance(details, Mapping) else None
    except (LookupError, ValueError, TypeError, ArithmeticError):
        return None


def _of_budget(found: Budget | None, settings: Settings) -> dict[str, Any]:
    """Returns how a budget does, in the language of the messages."""
    if found is None:
        return {}
    language = settings.messages.language
    return {
        "budget": budget_words.sentences(found, language),
        "budget_title": budget_words.title(found.state, language),
        "target": budget_words.format_target(found),
    }


def _date(value: object, settings: Settings) -> str:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return _in_zone(moment.replace(tzinfo=moment.tzinfo or UTC), settings).strftime("%Y-%m-%d")


def _runbook(own: str | None, base: str | None) -> str:
    """Returns a check's own page; an anchor or a path becomes part of the service's runbook."""
    if own is None:
        return ""
    if base is None or "://" in own:
        return own
    return base.rstrip("/") + (own if own.startswith("#") else "/" + own.lstrip("/"))


def _digest_line(event: Event, settings: Settings) -> str:
    message = compose(event, settings)
    moment = _in_zone(event.at, settings).strftime("%d %b %H:%M")
    reason = one_line(event.outcome.message or "", 120)
    bad = event.kind not in (EventKind.UP, EventKind.RESTORED, EventKind.STEADY)
    return f"{moment} {message.title}" + (f": {reason}" if bad and reason else "")


# The format of a channel


def format_for_channel(
    message: Message, kind: Format, limit: int, title_limit: int
) -> tuple[str, str]:
    """Returns (title, body) in a channel's format and within its limits, in characters.

    A channel without titles (`title_limit` 0) gets the title as the body's first line; where there
    are titles they count as part of the body, for some services put them there (Discord). What is
    too long is cut between words, before it is marked up, so no markup is ever broken.
    """
    lines = tuple(_mention_nobody(line) for line in message.lines)
    message = Message(_mention_nobody(message.title), lines)
    if title_limit > 0:
        title = cut(message.title, title_limit)
        room = max(0, limit - len(title) - 2)
        return title, _fit("\n".join(message.lines) or title, None, kind, room)
    return "", _fit("\n".join(message.lines), message.title, kind, limit)


def _fit(text: str, title: str | None, kind: Format, limit: int) -> str:
    allowed = limit
    while True:
        heading = None if title is None else cut(title, max(1, allowed))
        room = allowed - len(heading) - 1 if heading is not None else allowed
        marked = _mark_up(cut(text, max(0, room)), heading, kind)
        if len(marked) <= limit or allowed <= 1:
            return marked
        allowed = max(1, allowed - max(1, (len(marked) - limit + 1) // 2))


def cut(text: str, limit: int) -> str:
    """Returns at most `limit` characters, cut between words and closed with `…`."""
    if len(text) <= limit:
        return text
    if limit < 2:
        return text[:limit]
    kept = text[: whole_until(text, limit - 1)]
    words, space, _ = kept.rpartition(" ")
    line, newline, _ = kept.rpartition("\n")
    shorter = words if space and len(words) >= len(line) else line if newline else kept
    return (shorter if len(shorter) > limit // 2 else kept).rstrip() + "…"


def _mark_up(text: str, title: str | None, kind: Format) -> str:
    if kind == "html":
        body = html.escape(text, quote=False).replace("\n", "<br/>\n")
        heading = f"<b>{html.escape(title, quote=False)}</b><br/>\n" if title is not None else ""
        return heading + body
    if kind == "markdown":
        body = "\n".join(_escape_markdown(line) for line in text.split("\n"))
        heading = f"**{_escape_markdown(title)}**\n" if title is not None else ""
        return heading + body
    return text if title is None else f"{title}\n{text}".rstrip("\n")


def _mention_nobody(text: str) -> str:
    """Has `@everyone`, `@name`, `<@id>` and `<!channel>` of strangers' texts call nobody; the
    channel's own address says whom to call."""
    return _apart(
        text,
        lambda words: _MENTION.sub(r"\g<0>" + _NOTHING, words),
        lambda link: _MENTION.sub(lambda found: f"%{ord(found[0]):02X}", link),
    )


def _escape_markdown(line: str) -> str:
    """Escapes what Markdown reads as markup; in an address, which must stay one, by the address's
    own escapes."""
    return _apart(
        line,
        lambda words: _MARKDOWN.sub(r"\\\1", words),
        lambda link: _IN_ADDRESS.sub(lambda found: f"%{ord(found[0]):02X}", link),
    )


def _apart(text: str, words: Callable[[str], str], link: Callable[[str], str]) -> str:
    """Returns `text` with its addresses put through `link` and the rest through `words`."""
    parts, at = [], 0
    for address in _ADDRESS.finditer(text):
        parts += [words(text[at : address.start()]), link(address.group())]
        at = address.end()
    return "".join([*parts, words(text[at:])])
