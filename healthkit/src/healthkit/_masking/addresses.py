"""Secrets in addresses: credentials, notification services, webhooks, heartbeats."""

from __future__ import annotations

import re
import string

from healthkit._masking.names import MASK

_SCHEME_CHARACTERS = string.ascii_letters + string.digits + "+.-"
_NOT_LETTERS = string.digits + "+.-"
_PAGES = frozenset({"http", "https", "ftp", "ftps", "file", "ws", "wss", "s3"})
"""A slash ends the credentials of these."""

_DATABASES = ("redis", "postgres", "mysql", "sqlite", "unix")
"""What is behind the credentials of these may be shown; of any other it is masked too."""

_AUTHORITY = re.compile(r"[^\s/?#\"']*+")
_SERVICE = re.compile(r"[^\s'\",;)\]}]*+")
_REST = re.compile(r"[^\s'\"]*+")
_TO_QUOTE = re.compile(r"[^\s\"']*+")
_TO_SPACE = re.compile(r"\S*+")
_WEBHOOKS = (
    ("discord.com", "/api/webhooks"),
    ("discordapp.com", "/api/webhooks"),
    ("hooks.slack.com", "/services"),
    ("api.telegram.org", "/bot"),
)
_SENT_IN = re.compile(r"(/health/(?:act|beat|report)/)[^\s?'\"]++")


class _Runs:
    """The last `@` of the run of characters around a place; each run is looked at once."""

    def __init__(self, text: str, run: re.Pattern[str]) -> None:
        self._text = text
        self._run = run
        self._end = -1
        self._last = -1

    def last_at(self, start: int) -> int:
        """Where the `@` stands, or -1. `start` only grows from call to call."""
        if start >= self._end:
            self._end = _end(self._run, self._text, start)
            self._last = self._text.rfind("@", start, self._end)
        return self._last if self._last >= start else -1


def mask_addresses(text: str) -> str:
    """Masks credentials up to the last `@` before the host, and addresses that are secrets."""
    to_quote, to_space = _Runs(text, _TO_QUOTE), _Runs(text, _TO_SPACE)
    pieces: list[str] = []
    done = at = 0
    while (mark := text.find("://", at)) >= 0:
        scheme, start = _scheme_before(text, at, mark), mark + 3
        at = start
        if not scheme:
            continue
        authority = text[start : _end(_AUTHORITY, text, start)]
        if scheme in _PAGES:
            last = start + authority.rfind("@") if "@" in authority else -1
        else:
            last = to_quote.last_at(start)
        if last < 0 and _odd_port(authority):
            last = to_space.last_at(start)
        if last > start:
            pieces += [text[done:start], MASK]
            done = at = last
        if scheme not in _PAGES and not scheme.startswith(_DATABASES):
            end = _end(_SERVICE, text, max(start, last))
            pieces += [text[done:start] + MASK] if done <= start < end else []
            done = at = max(end, done)
        elif secret := _webhook_path(text, at):
            end = _end(_REST, text, secret)
            pieces += [text[done:secret], f"/{MASK}"]
            done = at = end
    return "".join([*pieces, text[done:]]) if pieces else text


def _scheme_before(text: str, after: int, mark: int) -> str:
    piece = text[after:mark]
    return piece[len(piece.rstrip(_SCHEME_CHARACTERS)) :].lstrip(_NOT_LETTERS).lower()


def _odd_port(authority: str) -> bool:
    """Whether what stands where a port would is none: then a password with a slash or a quote."""
    host, colon, port = authority.partition(":")
    return bool(colon) and not host.startswith("[") and not port.isdigit() and bool(port)


def _webhook_path(text: str, start: int) -> int:
    """Where the secret of a webhook's address begins whose authority is at `start`; 0 for none."""
    end = _end(_AUTHORITY, text, start)
    host = text[start:end].rpartition("@")[2].partition(":")[0].lower()
    for domain, path in _WEBHOOKS:
        if host == domain or host.endswith("." + domain):
            after = end + len(path)
            if text[end:after].lower() == path:
                return after
    return 0


def mask_beats(text: str) -> str:
    """Masks the tokens in the paths of heartbeats, results and acts."""
    return _SENT_IN.sub(rf"\g<1>{MASK}", text)


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    assert found is not None
    return found.end()
