"""The names that secrets go under."""

from __future__ import annotations

import re
from functools import lru_cache

MASK = "***MASKED***"

_PARTS = re.compile(
    r"passw|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key"
    r"|authorization|cookie|credential|csrf|session[_-]?id|jwt|dsn|kata[_-]?sandi"
    r"|passcode|userpass|(?:pin|otp)code",
    re.IGNORECASE,
)
"""Parts of the names of secrets. `key` alone is not one: an idempotency key is none."""

_SHORT = ("pass", "pin", "otp", "sig", "sandi", "cvv", "cvc")
"""Names of secrets that are parts of harmless words (`passenger`, `shipping`, `design`)."""


def _one_of(words: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(words)})"


_WORDS = re.compile(
    rf"(?<![A-Za-z])(?i:{_one_of(_SHORT)})(?![A-Za-z])"  # pin, USER_PIN, pin-code
    rf"|(?<![A-Za-z]){_one_of(_SHORT)}(?=[A-Z])"  # pinCode
    rf"|(?<=[a-z0-9]){_one_of(tuple(word.title() for word in _SHORT))}(?![a-z])"  # userPin
    rf"|(?<=[a-z0-9]){_one_of(tuple(word.upper() for word in _SHORT))}(?![A-Za-z])"  # userPIN
)
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_JSON_ESCAPE = re.compile(r"\\u00([0-9A-Fa-f]{2})")
_DECODINGS = 4
"""Percent signs may be encoded themselves, by each server on the way."""
_LONGEST_KEPT = 64
"""Characters; longer names are not remembered."""


def secret_name(name: str) -> bool:
    """Returns whether what goes under this name is a secret, in whatever case or encoding."""
    return _remembered(name) if len(name) <= _LONGEST_KEPT else _is_secret(name)


def _is_secret(name: str) -> bool:
    if "\\u" in name:
        name = _JSON_ESCAPE.sub(_character, name)
    for _ in range(_DECODINGS):
        if "%" not in name:
            break
        name = _PERCENT.sub(_character, name)
    return (_PARTS.search(name) or _WORDS.search(name)) is not None


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


_remembered = lru_cache(maxsize=2048)(_is_secret)
