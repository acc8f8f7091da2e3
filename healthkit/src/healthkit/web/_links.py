"""Answers the links that stand in messages: `/health/act/TOKEN`."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import parse_qs

from sqlalchemy.exc import SQLAlchemyError

from healthkit._alerts import links
from healthkit._alerts.links import PATH, Link
from healthkit._alerts.messages import local
from healthkit._health import Health
from healthkit._rendering import RenderedResponse
from healthkit._status.words import Language, length
from healthkit._store.acts import Act
from healthkit.errors import StoreError
from healthkit.web import _link_page
from healthkit.web._incoming import BODY

log = logging.getLogger("healthkit")

LONGEST_FORM = 200
"""Bytes of what the page sends."""


def respond(
    health: Health, path: str, environ: Mapping[str, Any], language: Language
) -> Generator[float, None, RenderedResponse]:
    """Responds to GET, HEAD and POST; only a POST changes anything. Yields as a responder does."""
    settings = health.settings
    secret = settings.links.secret.get_secret_value()
    link = links.read(path[len(PATH) :], secret)
    if link is None:
        return _link_page.page("invalid", settings.service.name, language, {})
    said = "ask"
    if link.expired(health.now()):
        said = "expired"
    elif environ["REQUEST_METHOD"] == "POST":
        said = yield from _act(health, link, environ.get(BODY) or b"")
    values = {
        "label": _label(health, link),
        "incident": link.incident,
        "until": local(link.until, settings),
        "time": length(settings.links.silence_for, language),
    }
    return _link_page.page(said, settings.service.name, language, values)


def _act(health: Health, link: Link, body: bytes) -> Generator[float, None, str]:
    """Returns what became of it, as the page says it."""
    form = parse_qs(body[:LONGEST_FORM].decode("utf-8", "replace"))
    chosen = form.get("act", [""])[0]
    if chosen not in ("acknowledge", "silence"):
        return "choose"
    act = Act(
        link=links.digest(link),
        what="silence" if chosen == "silence" else "acknowledge",
        incident=link.incident,
        check=link.check,
        by=f"link in {link.channel}",
        silence_for=health.settings.links.silence_for,
    )
    try:
        yield from health.act_steps(act)
    except (StoreError, OSError, SQLAlchemyError):
        return "not-stored"
    answer = act.answer.value if act.answer is not None else "not-stored"
    log.info("incident %d: %s by the link in %s", link.incident, answer, link.channel)
    return answer


def _label(health: Health, link: Link) -> str:
    for check in health.settings.checks:
        if check.info.name == link.check:
            return check.info.label
    return link.check
