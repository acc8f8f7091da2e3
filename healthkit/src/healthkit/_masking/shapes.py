"""Secrets that are known by their shape: JSON Web Tokens, cards, what follows `Bearer`."""

from __future__ import annotations

import re
from itertools import accumulate

from healthkit._masking.names import MASK

_SCHEME = re.compile(r"\b(bearer|basic)\s++[A-Za-z0-9._~+/=-]{8,}+", re.IGNORECASE)
_JWT = re.compile(r"eyJ[\w-]{8,}+\.[\w-]++\.[\w-]*+")
_WORD = re.compile(r"[\w-]*+")
_ROW = re.compile(r"\d++(?:[ -]\d++)*+")
"""Digits, at most one space or hyphen apart."""

_GROUP = re.compile(r"\d++")
_ENOUGH = re.compile(r"\d[\d -]{11}")
_LENGTHS = range(13, 20)
"""Digits of a card number (ISO/IEC 7812)."""


def mask_schemes(text: str) -> str:
    """Masks what follows `Bearer` and `Basic`."""
    if text.isascii() and "bearer" not in (lower := text.lower()) and "basic" not in lower:
        return text  # nearly every text; a letter beyond ASCII may stand for one of theirs
    return _SCHEME.sub(rf"\1 {MASK}", text)


def mask_json_web_tokens(text: str) -> str:
    pieces: list[str] = []
    done = at = 0
    while (start := text.find("eyJ", at)) >= 0:
        at = start + 3
        before = text[start - 1 : start]
        if before.isalnum() or before == "_":
            continue
        found = _JWT.match(text, start)
        if found is None:
            # Nor is there one further on in this word: it would be shorter, with the same end.
            word = _WORD.match(text, start)
            at = max(at, word.end() if word else 0)
            continue
        pieces += [text[done:start], MASK]
        done = at = found.end()
    return "".join([*pieces, text[done:]]) if pieces else text


def mask_cards(text: str) -> str:
    """Masks what passes for a card number, and leaves the numbers beside it."""
    if _ENOUGH.search(text) is None:
        return text
    pieces: list[str] = []
    done = 0
    for row in _ROW.finditer(text):
        if row.end() - row.start() < _LENGTHS.start:
            continue
        for start, end in _cards(text, row.start(), row.end()):
            pieces += [text[done:start], MASK]
            done = end
    return "".join([*pieces, text[done:]]) if pieces else text


def _cards(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The cards in a row of groups of digits; a card begins and ends with a group."""
    groups = [(found.start(), found.end()) for found in _GROUP.finditer(text, start, end)]
    digits = [int(text[place]) for a, b in groups for place in range(a, b)]
    counts = [0, *accumulate(b - a for a, b in groups)]
    sums = _check_sums(digits)
    # A word, a decimal or a version beside a group is part of its number.
    first = 1 if start and (_in_word(text[start - 1]) or text[start - 1] == ".") else 0
    after = text[end : end + 2]
    last = len(groups)
    if after and (_in_word(after[0]) or (after[0] == "." and after[1:].isdecimal())):
        last -= 1
    found = []
    while first < last:
        upto = _card_from(counts, sums, first, last)
        if upto:
            found.append((groups[first][0], groups[upto - 1][1]))
        first = upto or first + 1
    return found


def _card_from(counts: list[int], sums: list[list[int]], first: int, last: int) -> int:
    """The group after the longest card that begins with group `first`; 0 for none."""
    begin, best = counts[first], 0
    for upto in range(first + 1, min(last, first + _LENGTHS.stop) + 1):
        stop = counts[upto]
        if stop - begin >= _LENGTHS.stop:
            break
        parity = sums[stop % 2]
        if stop - begin in _LENGTHS and (parity[stop] - parity[begin]) % 10 == 0:
            best = upto
    return best


def _check_sums(digits: list[int]) -> list[list[int]]:
    """Running sums by Luhn's rule, for numbers that end before an even and before an odd place."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits]
    return [
        [
            0,
            *accumulate(
                doubled[place] if (place - end) % 2 == 0 else digits[place]
                for place in range(len(digits))
            ),
        ]
        for end in (0, 1)
    ]


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"
