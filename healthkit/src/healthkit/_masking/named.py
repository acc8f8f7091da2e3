"""Secrets under a name in text: `password=…`, `"token": "…"`, `Authorization: …`, JSON in JSON."""

from __future__ import annotations

import re
import string
from typing import NamedTuple

from healthkit._masking.names import MASK, secret_name

_SEPARATOR = re.compile(r"(?:[=:]|%(?:25){0,3}3[ADad]|\\{1,8}u003[ADad])++>?")
"""Between a name and its value; `%3D` and `\\u003d` are how URLs and JSON write `=`."""

_NAME_CHARACTERS = string.ascii_letters + string.digits + "_.[]%-\\"
_QUOTES = ("'", '"')
_SPACE = re.compile(r"\s*+")
_LINE = re.compile(r"[^\r\n]*+")
_QUOTED = r"(?:\\*+'|\"[^\s,:}\]])"
_OPENING = re.compile(
    rf"(?:[bBrRuU]{{1,2}}(?={_QUOTED})|[A-Za-z_.]++(?=\(b?{_QUOTED}))?+(?:(\\*+)([\"'])|[\[({{])"
)
"""Of what begins with a word only `b'…'` and `UUID('…')`, as in `f"{pin=}"`: not `it's`, and not
the quote that ends a text around it."""

_OPENING_OF_A_REPR = re.compile(r"[A-Za-z_.]*+(?:(\\*+)([\"'])|[\[({])")
"""Any word before it, where Python wrote the name in quotes."""

_QUOTE = re.compile(r"(\\*+)([\"'])")
_STRUCTURE = re.compile(r"(\\*+)([\"'])|[\[\](){}]")
_SCHEME = re.compile(r"(?i:bearer|basic|token|digest|negotiate|apikey)\s++(?=[^\s,;\"'}&])")
_BARE = re.compile(r"(?:[^\s&,;\"'}\])]|(?<=\w)'(?=\w))*+")
"""An apostrophe within a word is a part of it."""

_QUERY = re.compile(r"[^\s&#\"<>]*+")
"""A value in a query string; there a comma or an apostrophe may be part of it."""


class _Name(NamedTuple):
    text: str
    quote: str
    """What it is quoted by, with its backslashes; empty where it is not."""

    in_query: bool


class _Value(NamedTuple):
    start: int
    end: int
    masked: str


def mask_named(text: str) -> str:
    """Masks what stands under the names of secrets, and leaves its quotes: JSON stays JSON."""
    pieces: list[str] = []
    done = at = 0
    while (separator := _SEPARATOR.search(text, at)) is not None:
        name = _name_before(text, done, at, separator.start())
        at = separator.end()
        if name is None or not secret_name(name.text):
            continue
        value = _value_after(text, separator, name)
        pieces += [text[done : value.start], value.masked]
        done = at = value.end
    return "".join([*pieces, text[done:]]) if pieces else text


def _name_before(text: str, done: int, after: int, end: int) -> _Name | None:
    """The name that ends at `end`. Unquoted, it begins not before the last separator (`after`);
    quoted, not before what has been dealt with (`done`)."""
    piece = text[after:end].rstrip()
    quote = ""
    if piece.endswith(_QUOTES):
        inner = piece[:-1].rstrip("\\")
        quote = piece[len(inner) :]
        opened = text.rfind(quote[-1], done, after + len(inner))
        if opened >= 0:
            return _Name(text[opened + 1 : after + len(inner)], quote, in_query=False)
        piece = inner
    rest = piece.rstrip(_NAME_CHARACTERS)
    if len(rest) == len(piece):
        return None
    return _Name(piece[len(rest) :], quote, in_query=rest.endswith(("?", "&")))


def _value_after(text: str, separator: re.Match[str], name: _Name) -> _Value:
    start = _end(_SPACE, text, separator.end())
    plain = not name.quote
    if plain and separator[0][0] == ":" and _is_header(text, start, name.text):
        end = _end(_LINE, text, start)
        return _Value(start, end, MASK if end > start else "")
    opening = (_OPENING if plain else _OPENING_OF_A_REPR).match(text, start)
    if opening is None:
        end = _bare_end(text, start, name)
        masked = f"{name.quote}{MASK}{name.quote}" if end > start else ""
        return _Value(start, end, masked)
    quote = (opening[1] or "") + (opening[2] or "")
    end = _quoted_end(text, opening.end(), quote) if quote else _structure_end(text, opening.end())
    quote = quote or name.quote
    if name.in_query or not quote:
        end = _bare_end(text, end, name)
    return _Value(start, end, f"{quote}{MASK}{quote}")


def _is_header(text: str, start: int, name: str) -> bool:
    """Whether the secret is the whole rest of the line."""
    lower = name[-13:].lower()
    digest = text[start : start + 7].lower() == "digest "
    return lower.endswith("cookie") or (lower == "authorization" and digest)


def _bare_end(text: str, start: int, name: _Name) -> int:
    if name.in_query:
        end = _end(_QUERY, text, start)
    else:
        scheme = _SCHEME.match(text, start)
        end = _end(_BARE, text, scheme.end() if scheme else start)
    if text[end : end + 1] in _QUOTES:  # whose backslashes are not part of the value
        end = start + len(text[start:end].rstrip("\\"))
    return end


def _quoted_end(text: str, start: int, quote: str) -> int:
    """The end of a string that begins at `start`, after its closing quote where it has one.

    JSON within JSON doubles the backslashes: a quote closes when it has as many as the opening one,
    but for those that are escaped themselves. One with fewer closes what is around the string.
    """
    backslashes = len(quote) - 1
    for found in _QUOTE.finditer(text, start):
        if found[2] != quote[-1]:
            continue
        count = len(found[1])
        if count < backslashes:
            return found.start()
        if count % (2 * (backslashes + 1)) == backslashes:
            return found.end()
    return len(text)


def _structure_end(text: str, start: int) -> int:
    """The end of a list or an object whose opening bracket is before `start`."""
    depth = 1
    while (found := _STRUCTURE.search(text, start)) is not None:
        if found[2]:
            start = _quoted_end(text, found.end(), found[0])
            continue
        start = found.end()
        depth += 1 if found[0] in "[({" else -1
        if depth == 0:
            return start
    return len(text)


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    """The end of a run of characters, which may be empty."""
    found = pattern.match(text, start)
    assert found is not None
    return found.end()
