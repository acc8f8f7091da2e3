"""Ids in paths."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, ValidationError

_MOST_DIGITS = 40
"""What is longer is no address of ours; Python reads no number of more than 4,300 digits."""


class _IdConverter(IntegerConverter):
    def to_python(self, value: str) -> int:
        if len(value) > _MOST_DIGITS or not value.isascii():
            raise ValidationError
        return int(super().to_python(value))


def install(app: Flask) -> None:
    """Bounds `<int:…>` in the rules that are added to `app` from now on."""
    app.url_map.converters["int"] = _IdConverter
