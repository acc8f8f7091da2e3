"""Renders the page for people: readable without a script, on a phone, in the dark and on paper."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from statistics import median
from zoneinfo import ZoneInfo

from jinja2 import Environment, Template
from markupsafe import Markup

from healthkit._model.budget_words import format_target, sentences
from healthkit._model.budgets import BudgetState
from healthkit._status.model import (
    Component,
    ComponentState,
    Day,
    Headline,
    Outage,
    PublicIncident,
    PublicStatus,
    ResponseTime,
    format_percentage,
)
from healthkit._status.words import WORDS, Language
from healthkit.fields import format_duration

HTML = "text/html; charset=utf-8"
_WIDTH, _HEIGHT = 240, 40
_SYMBOLS = {
    Headline.OPERATIONAL: "●",
    Headline.DEGRADED: "▲",
    Headline.PARTIAL: "■",
    Headline.MAJOR: "■",
    Headline.MAINTENANCE: "◆",
    Headline.UNKNOWN: "○",
    ComponentState.OPERATIONAL: "●",
    ComponentState.DEGRADED: "▲",
    ComponentState.DOWN: "■",
    ComponentState.MAINTENANCE: "◆",
    ComponentState.UNKNOWN: "○",
}
"""A shape of its own for each state: colour alone says nothing to some."""
_LOOKS = {
    BudgetState.OK: ComponentState.OPERATIONAL,
    BudgetState.BURNING: ComponentState.DEGRADED,
    BudgetState.BURNING_FAST: ComponentState.DEGRADED,
    BudgetState.SPENT: ComponentState.DOWN,
    BudgetState.NO_DATA: ComponentState.UNKNOWN,
    BudgetState.NOT_ENOUGH_DATA: ComponentState.UNKNOWN,
}
"""A budget looks like a component that does as well."""


@cache
def policy() -> str:
    """Returns the page's Content-Security-Policy: its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )


def html(page: PublicStatus, language: Language, zone: ZoneInfo) -> bytes:
    """Returns the page in a language, its times in a zone."""
    words = WORDS[language]

    def say(key: str, **values: object) -> str:
        return words[key].format(**values)

    def local(moment: datetime) -> str:
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")

    def said(day: Day) -> str:
        text = _of_day(day, language)
        spans = [
            f"{outage.began.astimezone(zone):%H:%M}–"
            + (f"{outage.ended.astimezone(zone):%H:%M}" if outage.ended else words["still"])
            for outage in day.outages[:5]
        ]
        return ", ".join([text, *spans])

    return (
        _template()
        .render(
            page=page,
            language=language,
            other="en" if language == "id" else "id",
            style=Markup(_style()),  # noqa: S704  ours
            symbol=_SYMBOLS,
            t=say,
            local=local,
            said=said,
            percent=lambda uptime: format_percentage(uptime, words["no-data"]),
            chart=_chart,
            ms=_ms,
            outages_of=_outages,
            target=format_target,
            sentences=lambda budget: sentences(budget, language),
            look=_LOOKS,
            length=_length,
        )
        .encode("utf-8", "replace")
    )


def _of_day(day: Day, language: Language) -> str:
    words = WORDS[language]
    if day.lost is None:
        return f"{day.day}: {words['no-data']}"
    if not day.lost:
        return f"{day.day}: {words['none-lost']}"
    hundredths = -(-(day.results.total - day.results.good) * 10_000 // day.results.total)
    return f"{day.day}: " + words["lost"].format(share=f"{hundredths / 100:.2f}%")


def _chart(found: Sequence[ResponseTime], which: str) -> str:
    most = max(one.p95 for one in found) or 1.0
    step = _WIDTH / max(1, len(found) - 1)
    points = [
        (number * step, _HEIGHT - 2 - getattr(one, which) / most * (_HEIGHT - 4))
        for number, one in enumerate(found)
    ]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _ms(found: Sequence[ResponseTime], which: str) -> str:
    values = [getattr(one, which) for one in found]
    seconds = median(values) if which == "p50" else max(values)
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _outages(component: Component) -> list[Outage]:
    """Returns each outage once, the latest first."""
    found = {outage.began: outage for day in component.days for outage in day.outages}
    return [found[began] for began in sorted(found, reverse=True)]


def _length(incident: PublicIncident) -> str:
    assert incident.ended_at is not None
    return format_duration(incident.ended_at - incident.began_at)


@cache
def _style() -> str:
    return files("healthkit._status").joinpath("page.css").read_text()


@cache
def _template() -> Template:
    text = files("healthkit._status").joinpath("page.html.j2").read_text()
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
