"""Secrets out of whatever leaves the process: logs, reports, messages, error tracking.

`mask` is for text, `mask_value` for structures; both are pure. A secret is known by the name that
it goes under (`password=…`, `"token": "…"`, `Authorization: …`) or by its shape (credentials in a
URL, JSON Web Tokens, card numbers, the URLs of notification services, whose path is the secret).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

MASK = "***MASKED***"

_SECRET_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key"
    r"|authorization|cookie|credential|csrf|session[_-]?id|jwt|dsn|(?:^|[_-])(?:pin|otp|cvv|cvc)$",
    re.IGNORECASE,
)
"""Parts of the names of secrets. `key` alone is not one: an idempotency key is none."""

_NAMED = re.compile(
    r"""(?P<key>(?:passw|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key
        |private[_-]?key|signing[_-]?key|authorization|cookie|credential|csrf|session[_-]?id|jwt|dsn
        |(?<![A-Za-z])pin|(?<![A-Za-z])otp|cvv|cvc)[\w.\[\]%-]{0,100}
        \\?["']?\s*(?:=|:|%3D|=>)\s*)
        (?:\\?"(?:[^"\\]|\\.)*\\?"|'(?:[^'\\]|\\.)*'|(?:bearer|basic|token)\s+[^\s,;"'}&]+|[^\s&,;"'}\])]+)""",
    re.IGNORECASE | re.VERBOSE,
)
"""From the telling part of the name on, and not much of what follows it: what stands before it
stays anyway, and to look for either would cost the square of a long word's length."""
_COOKIE_HEADER = re.compile(r"\b(?P<key>(?:set-)?cookie\s*:\s*)[^\r\n]+", re.IGNORECASE)
_SCHEME = re.compile(r"\b(?P<key>bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_URL_CREDENTIALS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,63}://)[^\s/@'\"]+@", re.IGNORECASE)
_SERVICE_URL = re.compile(
    r"(?P<scheme>\b(?!https?://|ftps?://|file://|ws?s://|redis|postgres|mysql|sqlite|s3://|unix)"
    r"[a-z][a-z0-9+.-]{0,63}://)[^\s'\",;)\]}]+",
    re.IGNORECASE,
)
_WEBHOOK = re.compile(
    r"(?P<scheme>https?://(?:[\w.-]*\.)?(?:discord(?:app)?\.com/api/webhooks"
    r"|hooks\.slack\.com/services|api\.telegram\.org/bot))[^\s'\"]*",
    re.IGNORECASE,
)
_BEAT = re.compile(r"(?P<path>/health/beat/)[^\s?'\"]+")
_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,40}(?!\w|\.\d)")
_GROUP = re.compile(r"\d+")
_DIGITS = re.compile(r"\d[\d -]{11}")
_LONGEST_KEPT = 512
"""Characters; longer texts are not remembered."""


def mask(text: str) -> str:
    """The text with what is secret in it masked. Masking it twice changes nothing more."""
    return _remembered(text) if len(text) <= _LONGEST_KEPT else _mask(text)


def _mask(text: str) -> str:
    if "://" in text:
        text = _URL_CREDENTIALS.sub(rf"\g<scheme>{MASK}@", text)
        text = _SERVICE_URL.sub(rf"\g<scheme>{MASK}", text)
        text = _WEBHOOK.sub(rf"\g<scheme>/{MASK}", text)
    if "=" in text or ":" in text or "%3" in text:
        text = _COOKIE_HEADER.sub(rf"\g<key>{MASK}", text)
        text = _NAMED.sub(_keep_quotes, text)
    if " " in text:
        text = _SCHEME.sub(rf"\g<key> {MASK}", text)
    if "/beat/" in text:
        text = _BEAT.sub(rf"\g<path>{MASK}", text)
    if "eyJ" in text:
        text = _JWT.sub(MASK, text)
    if _DIGITS.search(text):
        text = _CARD.sub(_card, text)
    return text


_remembered = lru_cache(maxsize=4096)(_mask)


def _keep_quotes(found: re.Match[str]) -> str:
    """Masks a value and leaves its quotes, so that JSON stays JSON."""
    key = found["key"]
    value = found[0][len(key) :]
    quote = re.match(r"\\?[\"']", value)
    if quote is None:
        return f"{key}{MASK}"
    return f"{key}{quote[0]}{MASK}{quote[0]}"


def _card(found: re.Match[str]) -> str:
    """Masks what passes for a card number in a row of digits, whose neighbours may be others."""
    text = found[0]
    groups = list(_GROUP.finditer(text))
    for first in range(len(groups)):
        for last in range(len(groups), first, -1):
            start, end = groups[first].start(), groups[last - 1].end()
            if _passes(text[start:end]):
                return text[:start] + MASK + _CARD.sub(_card, text[end:])
    return text


def _passes(text: str) -> bool:
    """13 to 19 digits whose check digit is right (ISO/IEC 7812, Luhn)."""
    digits = [int(char) for char in text if char.isdigit()]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


@lru_cache(maxsize=2048)
def secret_name(name: str) -> bool:
    """Whether what goes under this name is a secret."""
    return _SECRET_NAME.search(name) is not None


def mask_value(value: Any, depth: int = 0) -> Any:
    """A structure with its secrets masked, at any depth; what it cannot look into becomes text."""
    if isinstance(value, str):
        return mask(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth > 50:
        return MASK
    if isinstance(value, Mapping):
        return {
            mask(str(key)): (
                MASK if item is not None and secret_name(str(key)) else mask_value(item, depth + 1)
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [mask_value(item, depth + 1) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return mask(str(value))


def one_line(text: str, limit: int = 200) -> str:
    """Returns the first line that is not empty, masked and cut, for reports and messages."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    first = mask("".join(char if char.isprintable() else " " for char in first))
    return first if len(first) <= limit else first[: limit - 1] + "…"
