"""Renders the page for machines: JSON, badges, and a feed of incidents (RFC 4287)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from healthkit._model.budget_words import format_target
from healthkit._model.budgets import Budget, BudgetState
from healthkit._rendering import dump, timestamp
from healthkit._status.model import (
    Component,
    Headline,
    PublicIncident,
    PublicStatus,
    percentage,
)
from healthkit._status.words import WORDS, Language

SVG = "image/svg+xml; charset=utf-8"
ATOM = "application/atom+xml; charset=utf-8"
_COLORS = {
    Headline.OPERATIONAL: ("brightgreen", "#2c7a3f"),
    Headline.DEGRADED: ("yellow", "#8a6100"),
    Headline.PARTIAL: ("orange", "#b34700"),
    Headline.MAJOR: ("red", "#b3261e"),
    Headline.MAINTENANCE: ("blue", "#1f5fa8"),
    Headline.UNKNOWN: ("lightgrey", "#5f6368"),
}
_FAILED = {Headline.PARTIAL, Headline.MAJOR}
_CACHE_SECONDS = 60


def status_json(page: PublicStatus) -> bytes:
    """Returns all that the page shows, with the figures of each day."""
    return dump(
        {
            "service": page.service,
            "at": timestamp(page.at),
            "watched": page.watched,
            "status": page.headline.value,
            "components": [_component(one) for one in page.components],
            "incidents": [_incident(one) for one in page.incidents],
            "objectives": [_objective(one) for one in page.budgets],
            "maintenance": [
                {
                    "began_at": timestamp(one.began_at),
                    "ends_at": timestamp(one.ends_at),
                    "components": list(one.components),
                }
                for one in page.planned
            ],
        }
    )


def _component(one: Component) -> dict[str, Any]:
    return {
        "label": one.label,
        "group": one.group or None,
        "state": one.state.value,
        "since": timestamp(one.since) if one.since else None,
        "uptime": {span: percentage(uptime) for span, uptime in one.uptime.items()},
        "response_times": [
            {"hour": timestamp(t.hour), "p50_ms": _ms(t.p50), "p95_ms": _ms(t.p95)}
            for t in one.response_times
        ],
        "days": [
            {
                "day": day.day.isoformat(),
                "uptime": percentage(day.results),
                "outages": [
                    {
                        "began_at": timestamp(outage.began),
                        "ended_at": timestamp(outage.ended) if outage.ended else None,
                    }
                    for outage in day.outages
                ],
            }
            for day in one.days
        ],
    }


def _objective(one: Budget) -> dict[str, Any]:
    known = one.state is not BudgetState.NOT_ENOUGH_DATA
    return {
        "label": one.label,
        "target": format_target(one),
        "window": one.window,
        "state": one.state.value,
        "budget_minutes": one.total_minutes,
        "left_minutes": one.left_minutes if known else None,
    }


def _incident(one: PublicIncident) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "state": one.state.value,
        "began_at": timestamp(one.began_at),
        "ended_at": timestamp(one.ended_at) if one.ended_at else None,
        "updates": [{"id": u.id, "at": timestamp(u.at), "text": u.text} for u in one.updates],
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def badge_message(page: PublicStatus, language: Language) -> str:
    return WORDS[language][f"headline.{page.headline}"]


def badge_json(page: PublicStatus, language: Language) -> bytes:
    """Returns the badge for shields.io's endpoint (https://shields.io/badges/endpoint-badge)."""
    return dump(
        {
            "schemaVersion": 1,
            "label": "status",
            "message": badge_message(page, language),
            "color": _COLORS[page.headline][0],
            "isError": page.headline in _FAILED,
            "cacheSeconds": _CACHE_SECONDS,
        }
    )


def badge_svg(page: PublicStatus, language: Language) -> bytes:
    """Returns the badge as a picture of its own, without any outside font."""
    label, message = "status", badge_message(page, language)
    left, right = _width(label), _width(message)
    color, said = _COLORS[page.headline][1], escape(message)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img"'
        f" aria-label={quoteattr(f'{label}: {message}')}>"
        f"<title>{label}: {said}</title>"
        f'<rect width="{left + right}" height="20" rx="3" fill="#3c4043"/>'
        f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{right - 3}z"'
        f' fill="{color}"/>'
        '<g fill="#fff" text-anchor="middle" font-size="11"'
        ' font-family="Verdana,DejaVu Sans,sans-serif">'
        f'<text x="{left / 2:g}" y="14">{label}</text>'
        f'<text x="{left + right / 2:g}" y="14">{said}</text></g></svg>'
    ).encode()


def _width(text: str) -> int:
    return round(len(text) * 6.6) + 14


def atom(page: PublicStatus, language: Language) -> bytes:
    """Returns the incidents and their updates as a feed: stable ids, the latest first."""
    words = WORDS[language]
    base = "urn:healthkit:" + (
        re.sub(r"[^a-z0-9]+", "-", page.service.lower()).strip("-") or "service"
    )
    title = words["title"].format(service=page.service)
    entries: list[tuple[datetime, str]] = []
    for one in page.incidents:
        said = words[f"state.{one.state}"]
        entries.append(
            (one.began_at, _entry(f"{base}:{one.id}", f"{one.title}: {said}", one.began_at, said))
        )
        if one.ended_at:
            over = words["state.operational"]
            entries.append(
                (
                    one.ended_at,
                    _entry(f"{base}:{one.id}:end", f"{one.title}: {over}", one.ended_at, over),
                )
            )
        for update in one.updates:
            entry = _entry(f"{base}:{update.id}", one.title, update.at, update.text)
            entries.append((update.at, entry))
    entries.sort(key=lambda entry: entry[0], reverse=True)
    updated = max([moment for moment, _ in entries], default=page.at)
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}">',
            f"<id>{base}</id><title>{_text(title)}</title>",
            f"<updated>{_rfc3339(updated)}</updated>",
            f"<author><name>{_text(page.service)}</name></author>",
            *(entry for _, entry in entries),
            "</feed>\n",
        ]
    ).encode()


def _entry(number: str, title: str, at: datetime, text: str) -> str:
    moment = _rfc3339(at)
    return (
        f"<entry><id>{number}</id><title>{_text(title)}</title><updated>{moment}</updated>"
        f'<published>{moment}</published><content type="text">{_text(text)}</content></entry>'
    )


def _text(value: str) -> str:
    """Returns text for XML 1.0, which has no control characters."""
    return escape(
        re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", value)
    )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
