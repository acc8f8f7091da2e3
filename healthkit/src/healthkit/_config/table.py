"""The base of the tables of healthkit.toml, and the forms of values that stand in several."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from healthkit.fields import split_web_address
from healthkit.masking import escape_controls

Count = Annotated[int, Field(ge=1, le=1000)]


def parse_time_of_day(value: Any) -> time:
    """Returns `"08:00"` as a time of day. Raises ValueError."""
    if isinstance(value, time):
        return value
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{value!r} is not a time of day; write it like 08:00")
    return time(int(match[1]), int(match[2]))


TimeOfDay = Annotated[time, BeforeValidator(parse_time_of_day)]

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A part of each day, by the wall clock; it may pass midnight."""

    start: time
    end: time


def parse_quiet_hours(value: Any) -> QuietHours:
    """Returns `"22:00-07:00"` as quiet hours. Raises ValueError."""
    if isinstance(value, QuietHours):
        return value
    start, dash, end = value.partition("-") if isinstance(value, str) else ("", "", "")
    wrong = ValueError(f"{value!r} are not quiet hours; write them like 22:00-07:00")
    if not dash:
        raise wrong
    hours = QuietHours(parse_time_of_day(start.strip()), parse_time_of_day(end.strip()))
    if hours.start == hours.end:  # they would never end
        raise wrong
    return hours


def web_address(value: SecretStr) -> SecretStr:
    address = value.get_secret_value().strip()
    if address:
        try:
            split_web_address(address)
        except ValueError:
            hint = "must be an address like https://kuma.example/api/push/TOKEN"
            raise ValueError(hint) from None
    return SecretStr(address)


def on_one_line(text: str) -> str:
    """Raises ValueError for a text that could turn over the page or the terminal it stands in."""
    if escape_controls(text) != text:
        raise ValueError("must be on one line, without control characters and marks of direction")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Label = Annotated[str, AfterValidator(on_one_line)]
"""A name for people: it stands in pages, messages and terminals, and can turn none of them over."""
Name = Annotated[Label, AfterValidator(_not_blank)]


class ConfigTable(BaseModel):
    """A table of the file: frozen, and any key it does not know is a mistake."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )
