"""Links in messages by which whoever reads one acts on its incident, once and without a shell.

A link names the incident, its check, the channel and the message, until when it holds, and is
signed (HMAC-SHA-256, of which 128 bits). What it names is no secret; the signature is the right to
act. Pure functions of the settings and the time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from healthkit._config.alert_tables import LinkSettings
from healthkit._model.alerts import Event, EventKind

PATH = "/health/act/"
LONGEST = 600
"""Characters of a token."""
MOST = 5
"""Links in one message."""
_SIGNATURE = 16
_VERSION = 1
_WITH_LINK = frozenset(
    {
        *(EventKind.DOWN, EventKind.DEGRADED, EventKind.REMINDER),
        *(EventKind.ESCALATION, EventKind.FLAPPING),
    }
)


@dataclass(frozen=True, slots=True)
class Link:
    """The meaning of a link; `message` is the number of the message that it stood in."""

    incident: int
    check: str
    channel: str
    message: int
    until: datetime

    def expired(self, now: datetime) -> bool:
        return now >= self.until


def to_act_on(events: Sequence[Event]) -> list[Event]:
    """Returns the events of a message that have a link: the last of each incident that is not over
    by then, `MOST` of them, in their order (the gravest are first)."""
    last = {event.incident: event for event in events if event.incident is not None}
    return [event for event in last.values() if event.kind in _WITH_LINK][:MOST]


def address(event: Event, channel: str, message: int, settings: LinkSettings) -> str | None:
    """Returns the link for a message of an event, the same each time; None where there is nothing
    to act on, or no public address."""
    if not settings.enabled or event.incident is None or event.kind not in _WITH_LINK:
        return None
    until = (event.at + settings.valid_for).replace(microsecond=0)
    link = Link(event.incident, event.check.name, channel, message, until)
    base = (settings.url or "").rstrip("/")
    return f"{base}{PATH}{sign(link, settings.secret.get_secret_value())}"


def sign(link: Link, secret: str) -> str:
    """Returns the token of a link: letters and digits alone, for no service marks those up."""
    until = int(link.until.timestamp())
    fields = [_VERSION, link.incident, link.message, until, link.channel, link.check]
    body = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.b32encode(_signature(body, secret) + body).decode().rstrip("=").lower()


def read(token: str, secret: str) -> Link | None:
    """Returns the link of a token that was signed with `secret`, expired or not; None for any
    other text, of whatever length."""
    if not secret or len(token) > LONGEST or not token.isascii():
        return None
    try:
        raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        return None
    given, body = raw[:_SIGNATURE], raw[_SIGNATURE:]
    if not hmac.compare_digest(given, _signature(body, secret)):
        return None
    version, incident, message, until, channel, check = json.loads(body)  # ours: it is signed
    if version != _VERSION:
        return None
    return Link(incident, check, channel, message, datetime.fromtimestamp(until, UTC))


def digest(link: Link) -> str:
    """Returns the name under which a link is kept as used: one for each message and channel."""
    named = json.dumps([link.incident, link.message, link.channel]).encode()
    return hashlib.sha256(named).hexdigest()


def _signature(body: bytes, secret: str) -> bytes:
    key = b"healthkit link\0" + secret.encode()
    return hmac.new(key, body, hashlib.sha256).digest()[:_SIGNATURE]
