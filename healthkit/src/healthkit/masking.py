"""Secrets out of whatever leaves the process: logs, reports, messages, traces, error tracking.

`mask` is for text, `mask_value` for structures; both are pure, and take time in proportion to what
they are given. A secret is known by the name that it goes under (`password=…`, `"token": "…"`,
`Authorization: …`) or by its shape (credentials in a URL, JSON Web Tokens, card numbers, the URLs
of notification services, whose path is the secret).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from healthkit._masking.addresses import mask_addresses, mask_beats
from healthkit._masking.forms import mask_forms
from healthkit._masking.named import mask_named
from healthkit._masking.names import MASK, secret_name
from healthkit._masking.shapes import mask_cards, mask_json_web_tokens, mask_schemes

__all__ = [
    "MASK",
    "escape_controls",
    "mask",
    "mask_value",
    "one_line",
    "secret_name",
    "shorten",
    "whole_until",
]

_LONGEST_KEPT = 512
"""Characters; longer texts are not remembered."""
_DEEPEST = 50
_MOST_VALUES = 50_000
"""Values of one structure; a small one may hold itself so often that it never ends."""
_LONGEST_LINE = 10_000
"""Characters that `one_line` looks at."""

_EMOJI = "[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]"
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
    f"|(?<!{_EMOJI})\u200d|\u200d(?!{_EMOJI})"
)
"""What moves the cursor, ends a line, turns the direction of text or cannot be seen; but for what
joins two emoji into one."""
_JOINER = "\u200d"
_SKIN = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_LETTERS_OF_FLAGS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_LONGEST_CHARACTER = 64
"""Code points that one character, as people see it, is looked for in."""


def mask(text: str) -> str:
    """The text with what is secret in it masked. Masking it twice changes nothing more."""
    return _remembered(text) if len(text) <= _LONGEST_KEPT else _mask(text)


def _mask(text: str) -> str:
    if "://" in text:
        text = mask_addresses(text)
    if "=" in text or ":" in text or "%" in text or "\\u003" in text:
        text = mask_named(text)
    if "=" in text and "form-data" in text.lower():
        text = mask_forms(text)
    if " " in text:
        text = mask_schemes(text)
    if "/health/" in text:
        text = mask_beats(text)
    if "eyJ" in text:
        text = mask_json_web_tokens(text)
    return mask_cards(text)


_remembered = lru_cache(maxsize=4096)(_mask)


def mask_value(value: Any, depth: int = 0) -> Any:
    """A structure with its secrets masked, at any depth; what it cannot look into becomes text.

    Of a structure that is too deep or has too many values the rest is masked.
    """
    return _Masking().mask(value, depth)


class _Masking:
    """One structure's masking, which counts the values that it has seen."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def mask(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return mask(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth > _DEEPEST or self._left <= 0:
            return MASK
        if isinstance(value, Mapping):
            self._left -= len(value)
            return {
                mask(str(key)): self._named(str(key), item, depth) for key, item in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            self._left -= len(value)
            items = list(value)
            if isinstance(value, list | tuple) and len(items) == 2 and isinstance(items[0], str):
                # A header or a field as a pair: ("Authorization", "Bearer …").
                return [mask(items[0]), self._named(items[0], items[1], depth)]
            return [self.mask(item, depth + 1) for item in items]
        if isinstance(value, bytes | bytearray | memoryview):
            return f"<{len(value)} bytes>"
        return mask(str(value))

    def _named(self, name: str, item: Any, depth: int) -> Any:
        return MASK if item is not None and secret_name(name) else self.mask(item, depth + 1)


def escape_controls(text: str) -> str:
    r"""Shows control characters, line ends and marks of direction as `\x1b`, `\n` and `\u202e`.

    What strangers write can then neither forge a line nor steer a terminal.
    """
    return text if text.isprintable() else _CONTROLS.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def one_line(text: str, limit: int = 200) -> str:
    """Returns the first line that is not empty: masked, escaped and cut, for reports."""
    lines = text.lstrip()[:_LONGEST_LINE].splitlines()
    first = next((line.strip() for line in lines if line.strip()), "")
    return shorten(escape_controls(mask(first.expandtabs(1))), limit)


def shorten(text: str, limit: int) -> str:
    """Returns at most `limit` code points of a text, closed with `…` where some are left out; no
    character is cut apart, as people see them: an emoji, a flag, a letter with its accents."""
    return text if len(text) <= limit else text[: whole_until(text, limit - 1)] + "…"


def whole_until(text: str, end: int) -> int:
    """Returns the place at or before `end` at which a text can be cut between two characters."""
    first = max(0, end - _LONGEST_CHARACTER)
    for place in range(end, first, -1):
        if not _inside_character(text, place):
            return place
    return end if first else 0


def _inside_character(text: str, place: int) -> bool:
    """Whether the code points on both sides of a place are one character (Unicode's UAX 29)."""
    before, after = text[place - 1 : place], text[place : place + 1]
    if before == _JOINER or not after:
        return before == _JOINER
    if after in _LETTERS_OF_FLAGS:  # two are a flag, however many stand in a row
        return bool((place - len(text[:place].rstrip(_LETTERS_OF_FLAGS))) % 2)
    return after == _JOINER or after in _SKIN or unicodedata.category(after).startswith("M")
