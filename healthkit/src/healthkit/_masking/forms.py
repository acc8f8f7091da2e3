"""Secrets in the parts of a form that was sent as `multipart/form-data` (RFC 7578)."""

from __future__ import annotations

import re

from healthkit._masking.names import MASK, secret_name

_PART = re.compile(r"form-data", re.IGNORECASE)
_BREAK = r"(?:\r?\n|(?:\\{1,8}+r)?\\{1,8}+n)"
"""The end of a line, or one that JSON or Python's `repr` wrote as `\\r\\n`."""

_LINE_END = re.compile(_BREAK)
_BLANK_LINE = re.compile(_BREAK + _BREAK)
_BOUNDARY = re.compile(_BREAK + "--")
_NAME = re.compile(r"(?<![\w*])name\*?\s*+=\s*+(?:\\{0,8}+[\"']([^\"'\\\r\n]*+)|([^\s;\"'\\]++))")


def mask_forms(text: str) -> str:
    """Masks what a form has in the fields that are secret by their names."""
    pieces: list[str] = []
    done = at = 0
    while (part := _PART.search(text, at)) is not None:
        line_end = _LINE_END.search(text, part.end())
        if line_end is None:
            break
        at = line_end.end()
        if not _is_secret(text[part.end() : line_end.start()]):
            continue
        blank = _BLANK_LINE.search(text, line_end.start())
        if blank is None:
            break  # nor has one further on a value
        boundary = _BOUNDARY.search(text, blank.end())
        end = boundary.start() if boundary else len(text)
        pieces += [text[done : blank.end()], MASK if end > blank.end() else ""]
        done = at = end
    return "".join([*pieces, text[done:]]) if pieces else text


def _is_secret(header: str) -> bool:
    return any(secret_name(found[1] or found[2] or "") for found in _NAME.finditer(header))
