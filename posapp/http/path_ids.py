"""Ids and keys in paths."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter, IntegerConverter, ValidationError

_MOST_DIGITS = 40
"""What is longer is no address of ours; Python reads no number of more than 4,300 digits."""


class _IdConverter(IntegerConverter):
    def to_python(self, value: str) -> int:
        if len(value) > _MOST_DIGITS or not value.isascii():
            raise ValidationError
        return int(super().to_python(value))


class _KeyConverter(BaseConverter):
    """An `Idempotency-Key`, which may hold slashes: base64 does."""

    regex = ".+"
    part_isolating = False


def install(app: Flask) -> None:
    """Bounds `<int:…>` and knows `<key:…>` in the rules that are added to `app` from now on."""
    app.url_map.converters |= {"int": _IdConverter, "key": _KeyConverter}
